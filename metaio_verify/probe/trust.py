"""The ways to a server: straight or through a proxy, and whose certificates are trusted."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

import httpx

from metaio_verify.errors import Place, Problem, UserError
from metaio_verify.probe.proxies import bad_proxy, proxy_for

_KEEP_ALIVE = 2.0
"""Seconds that an idle connection is kept. Common servers close theirs after 5 s."""


def ways_to(
    origin: str, *, authorities: Path | None = None
) -> Callable[[], httpx.AsyncHTTPTransport]:
    """What makes a way to an origin: straight, or through the proxy of the environment for it.

    Args:
        origin: scheme, host and port
        authorities: a PEM file of certificates to trust besides the usual ones

    Raises:
        UserError: for certificates or a proxy of the environment that cannot be used.

    """
    proxy = proxy_for(origin)
    # Reading the certificate store costs some 30 ms that plain HTTP need not pay.
    tls = any(url.startswith("https:") for url in (origin, proxy))
    # A file that cannot be read is told also where the endpoint has no certificate.
    needed = tls or authorities is not None
    context = certificates(authorities) if needed else httpx.create_ssl_context(verify=False)
    limits = httpx.Limits(keepalive_expiry=_KEEP_ALIVE)

    def connect() -> httpx.AsyncHTTPTransport:
        return httpx.AsyncHTTPTransport(
            verify=context, limits=limits, proxy=proxy or None, trust_env=False
        )

    try:
        connect()
    except (ValueError, ImportError, httpx.InvalidURL):
        raise bad_proxy() from None
    return connect


def certificates(bundle: Path | None) -> ssl.SSLContext:
    """The usual authorities, and those of a PEM file besides.

    Raises:
        UserError: the file cannot be read or holds no certificate.

    """
    context = httpx.create_ssl_context()
    if bundle is None:
        return context
    place = Place(str(bundle))
    try:
        context.load_verify_locations(cafile=bundle)
    except ssl.SSLError:
        hint = "it begins with -----BEGIN CERTIFICATE-----"
        raise UserError(Problem("this is no bundle of PEM certificates", place, hint)) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "this is no path"
        raise UserError(Problem(f"the certificates cannot be read: {reason}", place)) from None
    return context

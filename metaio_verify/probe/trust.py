"""Whom the client trusts: the usual authorities, and those of the user."""

from __future__ import annotations

import ssl
from pathlib import Path

import httpx

from metaio_verify.errors import Place, Problem, UserError
from metaio_verify.probe.proxies import bad_proxy, proxy_for

_KEEP_ALIVE = 2.0
"""Seconds that an idle connection is kept. Common servers close theirs after 5 s."""


def way_to(origin: str, *, concurrency: int, authorities: Path | None) -> httpx.AsyncHTTPTransport:
    """Connections to an origin: straight, or through the proxy that the environment names for it.

    Args:
        origin: scheme, host and port
        concurrency: how many requests are under way at a time
        authorities: a PEM file of certificates to trust besides the usual ones

    Raises:
        UserError: for certificates or a proxy of the environment that cannot be used.

    """
    proxy = proxy_for(origin)
    # Reading the certificate store costs some 30 ms that plain HTTP need not pay.
    tls = any(url.startswith("https:") for url in (origin, proxy))
    # A file that cannot be read is told also where the endpoint has no certificate.
    verify = certificates(authorities) if tls or authorities is not None else False
    limits = httpx.Limits(
        max_connections=None,
        max_keepalive_connections=2 * concurrency,
        keepalive_expiry=_KEEP_ALIVE,
    )
    try:
        return httpx.AsyncHTTPTransport(
            verify=verify, limits=limits, proxy=proxy or None, trust_env=False
        )
    except (ValueError, ImportError, httpx.InvalidURL):
        raise bad_proxy() from None


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

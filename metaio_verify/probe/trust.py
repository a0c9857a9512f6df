"""Whom the client trusts, and by which way it goes: certificates and proxies of the user."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from metaio_verify.errors import Place, Problem, UserError

_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")


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
        raise _bad_proxy() from None


def proxy_for(origin: str) -> str:
    """The URL of the proxy that the environment or the system names for an origin, if any.

    Raises:
        UserError: it names no host; the HTTP library would go without and say nothing.

    """
    parts = urlsplit(origin)
    if proxy_bypass(parts.netloc):
        return ""
    known = getproxies()
    proxy = known.get(parts.scheme) or known.get("all") or ""
    if proxy and "://" not in proxy:
        proxy = f"http://{proxy}"
    if proxy and not _host(proxy):
        raise _bad_proxy()
    return proxy


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


def proxy_variables(environ: Mapping[str, str] = os.environ) -> list[str]:
    """The names of the variables that set a proxy; their values may hold a password."""
    return [name for name in _PROXIES if environ.get(name) or environ.get(name.lower())]


def _host(proxy: str) -> str:
    try:
        return urlsplit(proxy).hostname or ""
    except ValueError:
        return ""


def _bad_proxy() -> UserError:
    """A proxy of the environment that cannot be used."""
    names = ", ".join(proxy_variables()) or "a proxy variable"
    return UserError(
        Problem(
            f"{names} of the environment does not name a proxy that can be used",
            hint="for instance http://proxy.example.com:3128; unset it to go without",
        )
    )

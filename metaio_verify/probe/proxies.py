"""The proxies of the environment. Their URLs may hold a password, so no value is ever shown."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from metaio_verify.errors import Problem, UserError

_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")


def proxy_variables(environ: Mapping[str, str] = os.environ) -> list[str]:
    """The names of the variables that set a proxy; their values may hold a password."""
    return [name for name in _PROXIES if environ.get(name) or environ.get(name.lower())]


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
        raise bad_proxy()
    return proxy


def proxy_secrets(environ: Mapping[str, str] = os.environ) -> list[str]:
    """The passwords for proxies: alone, and behind the user's name as they are sent."""
    secrets: list[str] = []
    for proxy in _values(environ):
        # Not read as a URL, as a password that is not encoded makes it none.
        user, _, password = proxy.rpartition("@")[0].rpartition("://")[2].partition(":")
        if password:
            secrets += [password, unquote(password), f"{unquote(user)}:{unquote(password)}"]
    return list(dict.fromkeys(secrets))


def _values(environ: Mapping[str, str]) -> Iterator[str]:
    names = [spelt for name in _PROXIES for spelt in (name, name.lower())]
    return (value for name in names if (value := environ.get(name)))


def _host(proxy: str) -> str:
    try:
        return urlsplit(proxy).hostname or ""
    except ValueError:
        return ""


def bad_proxy() -> UserError:
    """A proxy of the environment that cannot be used."""
    names = ", ".join(proxy_variables()) or "a proxy variable"
    return UserError(
        Problem(
            f"{names} of the environment does not name a proxy that can be used",
            hint="for instance http://proxy.example.com:3128; unset it to go without",
        )
    )

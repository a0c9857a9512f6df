"""Whom the client trusts, and by which way it goes: certificates and proxies of the user."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from metaio_verify.errors import Place, Problem, UserError

_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")


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


def proxies_have_hosts(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether each proxy names a host; the HTTP library would go without and say nothing."""
    return all(map(_host, (_value(name, environ) for name in proxy_variables(environ))))


def _value(name: str, environ: Mapping[str, str]) -> str:
    return environ.get(name) or environ[name.lower()]


def _host(proxy: str) -> str:
    try:
        return urlsplit(proxy if "://" in proxy else f"http://{proxy}").hostname or ""
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

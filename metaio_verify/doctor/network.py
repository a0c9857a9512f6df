"""The way to the endpoint: proxy, certificate authorities. As Claude Code reads them."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from metaio_verify.doctor.configuration import Configuration, Value
from metaio_verify.doctor.names import CA_FILE, CA_STORES, NO_PROXY, PROXIES
from metaio_verify.doctor.secrets import without_user_info

_SEPARATORS = str.maketrans({",": " "})
_OTHER_PROGRAMS = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO")
"""Variables with which other programs are told of a certificate authority."""


@dataclass(frozen=True)
class Proxy:
    """The proxy that Claude Code would use."""

    value: Value
    defect: str = ""
    """Why it cannot be used; empty when it can."""

    @property
    def url(self) -> str:
        """The URL, with the credential that it may hold."""
        return self.value.text.strip()

    def __str__(self) -> str:
        return without_user_info(self.url)


def proxy(configuration: Configuration) -> Proxy | None:
    """Return the proxy that is set, whether it is used for the endpoint or not."""
    value = configuration.value(*PROXIES)
    if value is None:
        return None
    return Proxy(value, _proxy_defect(value.text.strip()))


def _proxy_defect(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is not a URL"
    if parts.scheme.lower().startswith("socks"):
        return "names a SOCKS proxy, which Claude Code does not support"
    if "://" not in url:
        return "does not begin with http://"
    if parts.scheme.lower() not in ("http", "https") or not host:
        return "is not the URL of an HTTP proxy"
    return ""


def exempt(configuration: Configuration, url: str) -> str | None:
    """Return the entry of NO_PROXY that exempts a URL from the proxy.

    A name stands for that host alone, a name with a leading dot for the hosts below it, too.
    """
    text = configuration.text(*NO_PROXY)
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    port = parts.port or (443 if parts.scheme == "https" else 80)
    for entry in text.translate(_SEPARATORS).lower().split():
        if entry == "*" or entry in (host, f"{host}:{port}", f"[{host}]"):
            return entry
        if entry.startswith(".") and (host == entry[1:] or host.endswith(entry)):
            return entry
    return None


def almost_exempt(configuration: Configuration, url: str) -> str | None:
    """Return an entry of NO_PROXY that exempts this host for other programs only."""
    host = (urlsplit(url).hostname or "").lower()
    for entry in configuration.text(*NO_PROXY).translate(_SEPARATORS).lower().split():
        suffix = entry.removeprefix("*").strip(".")
        if suffix and not entry.startswith(".") and host.endswith(f".{suffix}"):
            return entry
        if "/" in entry and host.replace(".", "").isdecimal():
            return entry
    return None


@dataclass(frozen=True)
class Authorities:
    """The certificate authorities that Claude Code would trust."""

    file: str = ""
    """What NODE_EXTRA_CA_CERTS names."""
    defect: str = ""
    """Why that file is of no use; empty when it is."""
    pem: str = field(default="", repr=False)
    stores: tuple[str, ...] = ("bundled", "system")
    hint: str = ""
    """A file that other programs on this machine are told to trust."""

    def context(self) -> ssl.SSLContext:
        """Return what connections are checked with."""
        import httpx  # noqa: PLC0415 - slow, and only needed here

        if "bundled" in self.stores:
            context = httpx.create_ssl_context(trust_env=False)
        else:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if "system" in self.stores:
            _load_system(context)
        if self.pem:
            context.load_verify_locations(cadata=self.pem)
        return context


def authorities(configuration: Configuration) -> Authorities:
    """Return the authorities that are trusted in this configuration."""
    file = configuration.text(CA_FILE)
    stores = configuration.text(CA_STORES) or "bundled,system"
    machine = configuration.machine
    named = (machine.environ.get(name, "") for name in _OTHER_PROGRAMS)
    hint = next((path for path in named if path and machine.is_file(Path(path))), "")
    pem, defect = _read_pem(configuration, file) if file else ("", "")
    return Authorities(
        file=file,
        defect=defect,
        pem=pem,
        stores=tuple(store.strip() for store in stores.split(",")),
        hint=hint,
    )


def _read_pem(configuration: Configuration, file: str) -> tuple[str, str]:
    machine = configuration.machine
    try:
        text = machine.read(machine.cwd / file).decode("ascii", "ignore")
    except FileNotFoundError:
        return "", "does not exist" + (": nothing replaces the ~" if file.startswith("~") else "")
    except OSError as error:
        return "", f"cannot be read: {error.strerror}"
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError):
        return "", "holds no certificate in PEM form"
    return text, ""


def _load_system(context: ssl.SSLContext) -> None:
    """Load what the operating system trusts, and nothing that SSL_CERT_FILE names instead."""
    paths = ssl.get_default_verify_paths()
    known: Sequence[tuple[str, str]] = (
        ("cafile", paths.openssl_cafile),
        ("capath", paths.openssl_capath),
    )
    for kind, path in known:
        if path and Path(path).exists():
            context.load_verify_locations(**{kind: path})
    if hasattr(ssl, "enum_certificates"):
        context.load_default_certs()

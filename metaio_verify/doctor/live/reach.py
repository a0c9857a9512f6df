"""Why nothing answers: the way, the certificate, the address."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from metaio_verify.doctor.finding import Finding, Fix, Severity
from metaio_verify.doctor.live.asker import Setup
from metaio_verify.doctor.live.bench import Bench, Step, base_url_origins, found
from metaio_verify.doctor.live.outcome import header, status_of
from metaio_verify.doctor.names import BASE_URL, CA_FILE, NO_PROXY
from metaio_verify.doctor.network import almost_exempt, authorities, exempt, proxy
from metaio_verify.doctor.remedy import RESTART, set_variable
from metaio_verify.doctor.rules.endpoint import parsed
from metaio_verify.errors import UserError
from metaio_verify.probe.target import BaseUrl, parse_base_url
from metaio_verify.record import Exchange

_OWN_FAULTS = ("expired", "mismatch", "not yet valid")
"""Words of the TLS library for certificates that no authority can save."""
_NOT_TLS = (
    "wrong version",
    "record layer",
    "unknown protocol",
    "http request",
    "handshake failure",
)
_A_FILE = "/path/to/ca.pem"


_LOCAL = ("localhost", "127.", "::1")


async def silent(bench: Bench, exchange: Exchange) -> Step:
    """Nothing came back."""
    for look in (_past_the_proxy, _through_the_proxy, _with_the_other_scheme):
        step = await look(bench, exchange)
        if step is not None:
            return step
    if exchange.failure and exchange.failure.kind == "tls":
        return _untrusted(bench, exchange)
    return _unreachable(bench, exchange)


async def _past_the_proxy(bench: Bench, exchange: Exchange) -> Step | None:
    used = bench.setup.proxy
    if used is None:
        return None
    directly = bench.setup.through(None)
    if is_there(await bench.asker.knock(directly)):
        return proxy_in_the_way(bench, onward=directly)
    detail = exchange.failure.detail if exchange.failure else ""
    return Step(
        [
            found(
                "proxy-fails",
                f"Nothing comes back through the proxy {used}",
                f"Check the address of the proxy, and whether it lets {bench.setup.base} through.",
                detail=f"{_sentence(detail)} The endpoint does not answer directly either.",
                origins=[used.value.origin],
            )
        ]
    )


def proxy_in_the_way(bench: Bench, *, onward: Setup) -> Step:
    """The endpoint answers directly, and not through the proxy."""
    configuration = bench.configuration
    used = bench.setup.proxy
    assert used is not None
    url = str(bench.setup.base)
    host = urlsplit(url).hostname or ""
    listed = configuration.text(*NO_PROXY)
    name = next((name for name in NO_PROXY if configuration.text(name)), "NO_PROXY")
    action, fix = set_variable(configuration, name, f"{listed},{host}" if listed else host)
    near = almost_exempt(configuration, url)
    remark = f" The entry {near} of {name} does not cover it for Claude Code." if near else ""
    return Step(
        [
            found(
                "proxy-in-the-way",
                f"The proxy {used} does not lead to {host}, which answers directly",
                action,
                detail=f"Claude Code uses the first proxy that is set, for http and https.{remark}",
                origins=[used.value.origin],
                fix=fix,
            )
        ],
        onward,
    )


async def _through_the_proxy(bench: Bench, _exchange: Exchange) -> Step | None:
    configuration = bench.configuration
    set_ = proxy(configuration)
    entry = exempt(configuration, str(bench.setup.base))
    if bench.setup.proxy is not None or set_ is None or set_.defect or entry is None:
        return None
    by_proxy = bench.setup.through(set_)
    if not is_there(await bench.asker.knock(by_proxy)):
        return None
    value = configuration.value(*NO_PROXY)
    return Step(
        [
            found(
                "no-proxy-in-the-way",
                f"{value.name if value else 'NO_PROXY'} keeps Claude Code off the proxy, and only "
                "the proxy leads to the endpoint",
                f"Take {entry} out of it. {RESTART}",
                detail=f"The endpoint answers through {set_}, not directly.",
                origins=[value.origin] if value else [],
            )
        ],
        by_proxy,
    )


async def _with_the_other_scheme(bench: Bench, exchange: Exchange) -> Step | None:
    """See whether the server speaks https where http is set, or the reverse; without the key."""
    base = bench.setup.base
    kind = exchange.failure.kind if exchange.failure else ""
    was_http = base.origin.startswith("http://")
    if kind not in (("reset", "protocol", "connect", "timeout") if was_http else ("tls",)):
        return None
    if not was_http and not _is_no_tls(exchange):
        return None
    other = _other_scheme(base)
    answer = await bench.asker.knock(bench.setup.at(other))
    speaks = is_there(answer) or (was_http and _is_certificate(answer))
    if not speaks:
        return None
    return Step([scheme(bench, other)])


def scheme(bench: Bench, other: BaseUrl) -> Finding:
    """The server speaks the other scheme."""
    action, fix = set_variable(bench.configuration, BASE_URL, str(other))
    to_https = other.origin.startswith("https://")
    return found(
        "base-url-http" if to_https else "base-url-https",
        f"{bench.setup.base.origin} speaks {'https' if to_https else 'http'}, not "
        f"{'http' if to_https else 'https'}",
        action,
        origins=base_url_origins(bench.configuration),
        fix=fix,
    )


def encrypted(base: BaseUrl) -> BaseUrl | None:
    """Return the https form of a base URL whose key crosses a network in the clear."""
    host = urlsplit(str(base)).hostname or ""
    if not base.origin.startswith("http://") or host.startswith(_LOCAL):
        return None
    return _other_scheme(base)


def in_the_clear(bench: Bench, other: BaseUrl) -> Finding:
    """The endpoint answers http and https, and http is set."""
    action, fix = set_variable(bench.configuration, BASE_URL, str(other))
    return found(
        "base-url-http",
        f"Your key crosses the network in the clear to {bench.setup.base.origin}",
        action,
        detail=f"{other.origin} answers, too.",
        origins=base_url_origins(bench.configuration),
        fix=fix,
        severity=Severity.WARNING,
    )


def redirect(bench: Bench, exchange: Exchange) -> Step:
    """The endpoint sends the request elsewhere. It is not followed: the key would go there, too."""
    request = exchange.request.url
    location = _joined(request, header(exchange, "location"))
    target, ends_in_api, _ = location.partition("/v1/messages")
    better = parsed(target.rstrip("/")) if ends_in_api else None
    origins = base_url_origins(bench.configuration)
    if better is None:
        finding = found(
            "base-url-redirects",
            f"{bench.setup.base} redirects to {_place(location)}",
            "Is that a sign-in page, of a VPN or a portal? Sign in, or ask the operator for the "
            "URL of the API.",
            detail="Claude Code does not follow redirects.",
            origins=origins,
        )
        return Step([finding])
    if str(better) == str(bench.setup.base):
        finding = found(
            "base-url-redirects",
            f"{bench.setup.base} redirects POST /v1/messages to {_place(location)}",
            "Tell the operator: the API may not redirect.",
            origins=origins,
        )
        return Step([finding])
    action, fix = set_variable(bench.configuration, BASE_URL, str(better))
    to_https = better == _other_scheme(bench.setup.base)
    finding = found(
        "base-url-http" if to_https else "base-url-redirects",
        f"{bench.setup.base} redirects to {better}",
        action,
        detail="Claude Code does not follow redirects.",
        origins=origins,
        fix=fix,
    )
    same_origin = better.origin == bench.setup.base.origin
    return Step([finding], bench.setup.at(better) if same_origin else None)


def proxy_wants_credential(bench: Bench, _exchange: Exchange) -> Step:
    """The proxy answered 407."""
    used = bench.setup.proxy
    finding = found(
        "proxy-credential",
        f"The proxy {used or ''} wants a user name and a password",
        f"Write them into its URL: http://USER:PASSWORD@proxy.example.com:8080. {RESTART}",
        origins=[used.value.origin] if used else [],
    )
    return Step([finding])


def _untrusted(bench: Bench, exchange: Exchange) -> Step:
    detail = exchange.failure.detail if exchange.failure else ""
    configuration = bench.configuration
    host = urlsplit(str(bench.setup.base)).hostname
    if any(word in detail.lower() for word in _OWN_FAULTS):
        finding = found(
            "certificate-invalid",
            f"The certificate of {host} is not valid",
            "Check the host name in the base URL and the clock of this machine; otherwise tell "
            "the operator.",
            detail=_sentence(detail),
            origins=base_url_origins(configuration),
        )
        return Step([finding])
    trusted = authorities(configuration)
    value = configuration.value(CA_FILE)
    file = trusted.hint or _A_FILE
    action, fix = set_variable(configuration, CA_FILE, file)
    if not trusted.hint:
        action = f"Ask the operator for the certificate of the authority. {action}"
    if value is not None and not trusted.defect:
        title = f"The authority in {trusted.file} did not sign the certificate of {host}"
    else:
        title = f"The certificate of {host} is signed by an authority that is not known here"
    if configuration.machine.platform == "darwin":
        detail += ". An authority in the macOS keychain cannot be seen from here"
    finding = found(
        "ca-unknown",
        title,
        action,
        detail=_sentence(detail),
        origins=[value.origin] if value else [],
        fix=fix if value is None or trusted.defect else Fix(),
    )
    return Step([finding])


def _unreachable(bench: Bench, exchange: Exchange) -> Step:
    failure = exchange.failure
    kind = failure.kind if failure else "reset"
    host = urlsplit(str(bench.setup.base)).hostname
    origins = base_url_origins(bench.configuration)
    if kind == "dns":
        finding = found(
            "host-not-found",
            f"No machine has the name {host}",
            f"Check the spelling of {BASE_URL}; inside a company, whether the VPN is on.",
            origins=origins,
        )
        return Step([finding])
    if kind == "unsent":
        finding = found(
            "request-unsendable",
            "The request cannot be sent as it is configured",
            "Check the base URL, the keys and the custom headers for characters that do not "
            "belong there.",
            origins=origins,
        )
        return Step([finding])
    finding = found(
        "endpoint-unreachable",
        f"{bench.setup.base} does not answer",
        "Check host and port; whether the server is running; whether a VPN, a proxy or a firewall "
        "is on the way.",
        detail=_sentence(failure.detail if failure else ""),
        origins=origins,
    )
    return Step([finding])


def is_there(exchange: Exchange) -> bool:
    """Whether something behind any proxy answered."""
    return status_of(exchange) not in (0, 407, 502, 503, 504)


def _is_certificate(exchange: Exchange) -> bool:
    """Whether TLS was spoken, though the certificate is not trusted."""
    is_tls = exchange.failure is not None and exchange.failure.kind == "tls"
    return is_tls and not _is_no_tls(exchange)


def _is_no_tls(exchange: Exchange) -> bool:
    detail = exchange.failure.detail.lower().replace("_", " ") if exchange.failure else ""
    return any(words in detail for words in _NOT_TLS)


def _other_scheme(base: BaseUrl) -> BaseUrl:
    scheme_, rest = base.origin.split("://", 1)
    other = "http" if scheme_ == "https" else "https"
    rest = rest.removesuffix(":80" if scheme_ == "http" else ":443")
    return BaseUrl(f"{other}://{rest}", base.prefix)


def _joined(request: str, location: str) -> str:
    try:
        return urljoin(request, location)
    except ValueError:
        return location


def _place(url: str) -> str:
    """Return where a URL leads, without its query."""
    try:
        return str(parse_base_url(url.partition("?")[0].partition("#")[0]))
    except UserError:
        return "another place"


def _sentence(detail: str) -> str:
    return f"{detail[:1].upper()}{detail[1:]}." if detail else ""

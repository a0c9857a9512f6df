"""The way to an endpoint: certificates, addresses, paths; and who may get the key."""

from __future__ import annotations

import asyncio
import datetime as dt
import socket
import ssl
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import trustme
from hostile.server import JSON, Serve, answers, hostile

from metaio_verify import Endpoint, Options, verify
from metaio_verify.errors import UserError
from metaio_verify.probe.client import Bounds, Client, Outgoing
from metaio_verify.record import RunRecord
from metaio_verify.verdict import Verdict

QUICK = Options(only=["messages.shape"], connect_timeout=2, timeout=5, run_timeout=20)
HELLO = (
    b'{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text",'
    b'"text":"Hello."}],"stop_reason":"end_turn","stop_sequence":null,'
    b'"usage":{"input_tokens":1,"output_tokens":1}}'
)
AUTHORITY = trustme.CA()


def _go(url: str, options: Options = QUICK) -> RunRecord:
    return verify(Endpoint(url, "sk-lab-ways-0123456789", ["m"]), options)


def is_served(record: RunRecord) -> bool:
    """Whether the way to the endpoint is open: a message was answered."""
    return any(one.response is not None and one.response.status == 200 for one in record.exchanges)


def context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """What a server with this certificate speaks TLS with."""
    secured = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(secured)
    return secured


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the proxies of a test are used, whatever this machine has."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """The authority of the tests, as a file."""
    path = tmp_path / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(str(path))
    return path


def test_an_authority_of_ones_own_is_trusted_when_asked(bundle: Path) -> None:
    """With `ca_bundle` it works; without, the reason and the way out are named."""
    secured = context(AUTHORITY.issue_cert("127.0.0.1"))
    with hostile(answers(JSON, HELLO), tls=secured) as url:
        trusting = _go(url, Options(only=["messages.shape"], ca_bundle=bundle))
        doubting = _go(url)
    assert is_served(trusting)
    assert doubting.stopped is not None
    assert doubting.exit_code == 3
    assert "TLS failed: unable to get local issuer certificate" in doubting.stopped.message
    assert any("--ca-bundle" in hint for hint in doubting.stopped.hints)


@pytest.mark.parametrize(
    ("certificate", "says"),
    [
        (AUTHORITY.issue_cert("other.example"), "not valid for '127.0.0.1'"),
        (
            AUTHORITY.issue_cert("127.0.0.1", not_after=dt.datetime(2020, 1, 2, tzinfo=dt.UTC)),
            "certificate has expired",
        ),
    ],
)
def test_a_bad_certificate_is_named(certificate: trustme.LeafCert, says: str, bundle: Path) -> None:
    """A wrong host and an expired certificate are told apart."""
    options = Options(only=["messages.shape"], ca_bundle=bundle)
    with hostile(answers(JSON, HELLO), tls=context(certificate)) as url:
        record = _go(url, options)
    assert record.exit_code == 3
    assert record.stopped is not None
    assert says in record.stopped.message


def test_a_certificate_that_signs_itself_is_named(tmp_path: Path) -> None:
    """As an appliance comes out of its box."""
    alone = trustme.CA(organization_name="box")
    pem = tmp_path / "box.pem"
    alone.private_key_pem.write_to_path(str(pem))
    alone.cert_pem.write_to_path(str(pem), append=True)
    secured = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secured.load_cert_chain(str(pem))
    with hostile(answers(JSON, HELLO), tls=secured) as url:
        record = _go(url)
    assert record.stopped is not None
    assert "TLS failed: self-signed certificate" in record.stopped.message.replace(
        "self s", "self-s"
    )


@pytest.mark.parametrize("url", ["https://127.0.0.1:1", "http://127.0.0.1:1"])
@pytest.mark.parametrize("content", [None, b"", b"no certificate", b"\xff\xfe"])
def test_a_bundle_that_is_none_is_a_usage_error(
    content: bytes | None, url: str, tmp_path: Path
) -> None:
    """A missing, empty or other file is told before anything is sent, also without TLS."""
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        _go(url, Options(only=["messages.shape"], ca_bundle=path))
    assert str(path) in str(caught.value)


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Claude Code and the SDKs use it."""
    with hostile(answers(JSON, HELLO)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy)
        record = _go("http://gateway.invalid")
    assert is_served(record)


def test_a_proxy_that_refuses_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hint names the variable, and never its value, which may hold a password."""
    monkeypatch.setenv("HTTPS_PROXY", "http://me:geheim-4711@127.0.0.1:1")
    record = _go("https://gateway.invalid")
    assert record.stopped is not None
    assert any("HTTPS_PROXY" in hint for hint in record.stopped.hints)
    assert "geheim-4711" not in repr(record)


def _has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(not _has_ipv6(), reason="needs IPv6")
def test_an_address_of_ipv6_is_reached() -> None:
    """Brackets and all."""
    with hostile(answers(JSON, HELLO), host="::1") as url:
        record = _go(url)
    assert is_served(record)
    assert "[::1]" in record.target.base_url


@pytest.mark.parametrize("prefix", ["/~team/api", "/a/b.c/d-e_f", "/a%2Fb", "/a;v=1/b"])
def test_a_base_url_may_have_any_path(prefix: str) -> None:
    """Requests go below it, as given."""
    seen: list[bytes] = []

    def note(request: bytes) -> bool:
        seen.append(request.split(b" ")[1])
        return True

    with hostile(answers(JSON, HELLO), picks=note) as url:
        record = _go(url + prefix)
    assert is_served(record)
    assert {path.startswith(prefix.encode() + b"/v1/") for path in seen} == {True}


def _redirects(location: str) -> Serve:
    return answers(f"HTTP/1.1 307 X\r\nlocation: {location}\r\n".encode(), b"")


def test_a_redirect_never_takes_the_key_along() -> None:
    """Not to another port; the finding and the notice name where it leads."""
    asked: list[bytes] = []

    def note(request: bytes) -> bool:
        asked.append(request)
        return True

    with (
        hostile(answers(JSON, HELLO), picks=note) as elsewhere,
        hostile(_redirects(f"{elsewhere}/v1/messages")) as url,
    ):
        record = _go(url, replace(QUICK, only=["messages.shape", "connectivity.no-redirect"]))
    assert asked == []
    assert record.exit_code == 1
    (notice,) = record.notices
    assert f"redirect to {elsewhere}/v1/messages (307)" in notice
    found = {one.check: one for one in record.verdicts}
    assert found["messages.shape"].verdict is Verdict.BLOCKED
    assert elsewhere in found["connectivity.no-redirect"].findings[0].actual


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1@evil.example/v1",
        "http://evil.example/v1",
        "http://127.0.0.1:2/v1",
        "https://127.0.0.1:1/v1",
        "http://x@127.0.0.1:1/v1",
        "http://127.0.0.1:1.evil.example/v1",
        "//evil.example",
    ],
)
def test_the_client_sends_nothing_to_another_origin(url: str) -> None:
    """Even if a URL were put together wrongly, it would not leave."""

    async def send() -> str:
        client = Client(
            httpx.AsyncHTTPTransport,
            bounds=Bounds(connect=1, silence=1, total=1),
            origin="http://127.0.0.1:1",
        )
        async with client:
            answer = await client.send(Outgoing("GET", url, []))
        return answer.failure.kind if answer.failure else ""

    assert asyncio.run(send()) == "unsent"


PACK = """
area: Strange
probes:
  strange:
    purpose: A request that wants more than it may.
    {probe}
checks:
  strange.one:
    title: It is answered
    level: must
    contract: MSG-01
    source: https://example.com
    on: strange
    expect: {{status: 200}}
    breaks: {{any-client: x}}
    fix: x
"""


def test_a_pack_that_wants_nothing_special_is_taken(tmp_path: Path) -> None:
    """The control of the tests below: the form of their pack is right."""
    path = tmp_path / "pack.yaml"
    path.write_text(PACK.format(probe="get: /v1"))
    record = _go("http://127.0.0.1:1", Options(checks=[path], only=["strange.*"]))
    assert record.exit_code == 3


@pytest.mark.parametrize(
    "probe",
    [
        "get: https://evil.example/",
        "get: '@evil.example/'",
        "get: .evil.example/",
        "get: //evil.example/",
        "get: ':80@evil.example/'",
        'get: "/v1\\r\\nhost: evil"',
        "get: /../../other",
        "get: /%2e%2e/other",
        "{get: /v1, headers: {host: evil.example}}",
        "{get: /v1, headers: {x-copy: '${api_key}'}}",
        "{get: /v1, headers: {x-copy: '${ANTHROPIC_API_KEY}'}}",
        "{get: /v1, headers: {x-copy: '${env:HOME}'}}",
        "{get: /v1, headers: {authorization: x}}",
        "{get: /v1, headers: {proxy-authorization: x}}",
        "{get: /v1, headers: {x-api-key: x}}",
        '{get: /v1, headers: {x-a: "b\\r\\nx-c: d"}}',
        "{post: /v1, json: '${file:/etc/passwd}'}",
        "{post: /v1, json: !!python/object/apply:os.system [id]}",
        "{post: /v1, json: !include /etc/passwd}",
        "{post: /v1, body: '${auth.secret}'}",
    ],
)
def test_a_pack_of_strangers_gets_at_nothing(probe: str, tmp_path: Path) -> None:
    """It can neither send elsewhere nor name the key, the environment or a file."""
    inside = probe[1:-1].replace(", headers", "\n    headers").replace(", json", "\n    json")
    inside = inside.replace(", body", "\n    body") if probe.startswith("{") else probe
    path = tmp_path / "pack.yaml"
    path.write_text(PACK.format(probe=inside))
    with pytest.raises(UserError) as caught:
        _go("http://127.0.0.1:1", Options(checks=[path], only=["strange.*"]))
    assert str(path) in str(caught.value)


def test_a_schema_of_a_pack_reads_no_file(tmp_path: Path) -> None:
    """References lead to schemas of the suite alone."""
    secret = tmp_path / "secret.json"
    secret.write_text('{"const": 1}')
    path = tmp_path / "packs" / "pack.yaml"
    path.parent.mkdir()
    text = PACK.format(probe="get: /v1").replace(
        "{status: 200}", f"{{json: {{$: {{$ref: 'file://{secret}'}}}}}}"
    )
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        _go("http://127.0.0.1:1", Options(checks=[path], only=["strange.*"]))
    (problem,) = caught.value.problems
    assert str(problem.place) == f"{path}:14:25"
    assert "Nothing is read from elsewhere" in problem.hint

"""Faults of what stands around a request: headers, the query, credentials, how often it is sent."""

from __future__ import annotations

from dataclasses import replace

from metaio_verify.lab.gateway import fault
from metaio_verify.lab.gateway.change import Call

_KNOWN_BETAS = frozenset(
    {
        "claude-code-20250219",
        "interleaved-thinking-2025-05-14",
        "context-management-2025-06-27",
    }
)
_KNOWN_HEADERS = frozenset(
    {"accept", "anthropic-beta", "anthropic-version", "content-type", "user-agent", "x-api-key"}
)


@fault.send
def request_sent_twice(call: Call, client: Call) -> list[Call]:
    """Each message is sent to the upstream twice, to be on the safe side."""
    return [call, call] if client.path.endswith("/messages") else [call]


@fault.send
def answered_from_a_cache(call: Call, client: Call) -> list[Call]:
    """A short conversation is answered from a cache of similar ones."""
    body = client.json
    short = isinstance(body, dict) and "system" in body and not body.get("stream")
    return [] if short and client.path.endswith("/messages") else [call]


@fault.forward
def version_pinned(call: Call, _client: Call) -> Call:
    """`anthropic-version` is always 2023-06-01."""
    return call.with_header("anthropic-version", "2023-06-01")


@fault.forward
def version_line_repeated(call: Call, _client: Call) -> Call:
    """`anthropic-version` reaches the upstream in two lines."""
    lines = call.lines("anthropic-version")
    return call.with_header("anthropic-version", *lines, *lines)


@fault.forward
def beta_dropped(call: Call, _client: Call) -> Call:
    """`anthropic-beta` does not reach the upstream."""
    return call.with_header("anthropic-beta")


@fault.forward
def beta_allow_listed(call: Call, _client: Call) -> Call:
    """Of `anthropic-beta` only known values are passed on."""
    values = [one for line in call.lines("anthropic-beta") for one in line.split(",")]
    kept = [value for value in values if value in _KNOWN_BETAS]
    return call.with_header("anthropic-beta", *([",".join(kept)] if kept else []))


@fault.forward
def beta_first_line_only(call: Call, _client: Call) -> Call:
    """Of several `anthropic-beta` lines only the first is passed on."""
    return call.with_header("anthropic-beta", *call.lines("anthropic-beta")[:1])


@fault.forward
def beta_added(call: Call, _client: Call) -> Call:
    """A beta value of the gateway's own is added."""
    return call.with_header(
        "anthropic-beta", *call.lines("anthropic-beta"), "prompt-caching-2024-07-31"
    )


@fault.forward
def headers_allow_listed(call: Call, _client: Call) -> Call:
    """Only known headers are passed on."""
    return replace(call, headers=[line for line in call.headers if line[0] in _KNOWN_HEADERS])


@fault.forward
def query_dropped(call: Call, _client: Call) -> Call:
    """The query of the URL is dropped."""
    return replace(call, query="")


@fault.forward
def client_key_sent_up(call: Call, client: Call) -> Call:
    """The client's key is passed on in a header beside the gateway's own credential."""
    return call.with_header("x-forwarded-api-key", client.key)


@fault.forward
def client_bearer_sent_up(call: Call, client: Call) -> Call:
    """The client's key goes up as `Authorization: Bearer` beside the gateway's `x-api-key`."""
    return call.with_header("authorization", f"Bearer {client.key}")

"""Parts of run records, for tests: exchanges, judgements, and the record around them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from metaio_verify.outcome import exit_code
from metaio_verify.record import (
    REDACTED,
    CheckInfo,
    Clock,
    Cost,
    Exchange,
    Finding,
    Judgement,
    Received,
    RunRecord,
    Selection,
    SentRequest,
    Stop,
    StreamEvent,
    Target,
    Tool,
)
from metaio_verify.verdict import Level, Verdict

BASE = "https://gateway.example"
MODEL = "gpt-5.4"
AREAS = {
    "connectivity": "Connectivity",
    "auth": "Authentication",
    "headers": "Headers",
    "models": "Model discovery",
    "messages": "Messages",
    "streaming": "Streaming",
    "claude-code": "Claude Code",
}
ERRORS = "https://platform.claude.com/docs/en/api/errors"

CHECKS = {
    "connectivity.messages": CheckInfo(
        title="POST /v1/messages is served",
        area="connectivity",
        sources=["https://platform.claude.com/docs/en/api/overview"],
        breaks={"claude-code": "nothing works", "any-client": "every call answers 404"},
        fix="Serve POST /v1/messages below the base URL.",
    ),
    "auth.x-api-key": CheckInfo(
        title="The key works in x-api-key",
        area="auth",
        sources=["https://platform.claude.com/docs/en/api/overview"],
        breaks={"claude-code": "“Invalid API key · Fix external API key”"},
        fix="Read the key from either header.",
    ),
    "auth.bearer": CheckInfo(
        title="The key works as Authorization Bearer",
        area="auth",
        sources=["measured: both SDKs of October 2026 send the API key as Bearer"],
        breaks={
            "anthropic-sdk-python>=2": "every call raises AuthenticationError",
            "anthropic-sdk-typescript>=1": "every call raises AuthenticationError",
            "claude-code": "with ANTHROPIC_AUTH_TOKEN every turn ends with 401",
        },
        fix="Read the key from either header; strip the word Bearer and compare the rest.",
        workaround="Set ANTHROPIC_API_KEY instead of ANTHROPIC_AUTH_TOKEN.",
    ),
    "auth.wrong-key": CheckInfo(
        title="A wrong key is answered 401",
        area="auth",
        sources=[ERRORS],
        breaks={"claude-code": "a 500 is repeated ten times before the user sees anything"},
        fix="Answer an unknown key with 401 authentication_error.",
    ),
    "headers.version-2023-06-01": CheckInfo(
        title="anthropic-version 2023-06-01 is accepted",
        area="headers",
        sources=["https://platform.claude.com/docs/en/api/versioning"],
        breaks={"claude-code": "every turn ends with 400"},
        fix="Accept the version that Claude Code sends.",
    ),
    "headers.request-id": CheckInfo(
        title="Every answer has a request-id",
        area="headers",
        sources=[ERRORS],
        breaks={"any-client": "errors cannot be traced: error.request_id is None"},
        fix="Send a request-id header with every answer, success, error and stream.",
    ),
    "models.served": CheckInfo(
        title="GET /v1/models answers with a list, or with a clean 404",
        area="models",
        sources=["https://platform.claude.com/docs/en/api/models/list"],
        breaks={"claude-code": "model discovery fails without a message"},
        fix='Answer {"data":[…],"has_more":false,"first_id":…,"last_id":…}, or 404.',
        workaround="Name the model in ANTHROPIC_MODEL; Claude Code then needs no list.",
    ),
    "models.picker-ids": CheckInfo(
        title="Claude Code's picker keeps every listed id",
        area="models",
        sources=["measured: Claude Code 2.1.330 keeps ids with claude or anthropic in them"],
        breaks={"claude-code": "the model is not in the picker"},
        fix="Nothing is broken; name the model in ANTHROPIC_MODEL.",
    ),
    "messages.shape": CheckInfo(
        title="The answer is a message object",
        area="messages",
        sources=["https://platform.claude.com/docs/en/api/messages/create"],
        breaks={"any-client": "message.content raises"},
        fix="Answer in Anthropic's shape.",
    ),
    "messages.id-unique": CheckInfo(
        title="Every answer has a message id of its own",
        area="messages",
        sources=["measured: with one id on all answers successive turns are merged into one"],
        breaks={"claude-code": "tool results of several turns end up in one message"},
        fix="Make a new id for every answer, also when an upstream answer has none.",
    ),
    "messages.id-prefix": CheckInfo(
        title="A message id begins with msg_",
        area="messages",
        sources=["https://code.claude.com/docs/en/llm-gateway-connect"],
        breaks={"any-client": "the documented curl test looks broken"},
        fix="Give message ids the prefix msg_.",
    ),
    "streaming.events-in-order": CheckInfo(
        title="A stream keeps the order of its events",
        area="streaming",
        sources=["https://platform.claude.com/docs/en/build-with-claude/streaming"],
        breaks={
            "claude-code": "the turn is repeated without streaming, at twice the cost",
            "anthropic-sdk-python>=2": "the stream ends with an exception in mid-answer",
            "anthropic-sdk-python<2": "the stream ends with an exception in mid-answer",
        },
        fix="Close a content block before the next one is opened.",
    ),
    "streaming.forced-tool": CheckInfo(
        title="A forced tool is called",
        area="streaming",
        sources=["https://platform.claude.com/docs/en/agents-and-tools/tool-use/define-tools"],
        breaks={"any-client": "structured extraction returns prose"},
        fix="Map tool_choice to the upstream's own field.",
    ),
    "claude-code.first-turn": CheckInfo(
        title="A first request as Claude Code composes it is answered",
        area="claude-code",
        sources=["measured: Claude Code 2.1.330"],
        breaks={"claude-code": "the first turn of every session ends with an error"},
        fix="Accept unknown fields, or forward them.",
    ),
}
_CONTRACT = {
    "connectivity.messages": "CON-01",
    "auth.x-api-key": "AUT-01",
    "auth.bearer": "AUT-02",
    "auth.wrong-key": "AUT-06",
    "headers.version-2023-06-01": "HDR-01",
    "headers.request-id": "HDR-12",
    "models.served": "MOD-01",
    "models.picker-ids": "MOD-10",
    "messages.shape": "MSG-01",
    "messages.id-unique": "MSG-03",
    "messages.id-prefix": "MSG-02",
    "streaming.events-in-order": "STR-03",
    "streaming.forced-tool": "TOL-02",
    "claude-code.first-turn": "CCO-01",
}
_LEVELS = {
    "headers.request-id": Level.SHOULD,
    "messages.id-prefix": Level.SHOULD,
    "streaming.forced-tool": Level.SHOULD,
    "models.picker-ids": Level.INFO,
}
PER_MODEL = ("messages.", "streaming.", "claude-code.")


def message(prompt: str = "Reply with one word.", **more: Any) -> str:
    """Return a request body."""
    body = {"model": MODEL, "max_tokens": 16, "messages": [{"role": "user", "content": prompt}]}
    return json.dumps({**body, **more}, separators=(",", ":"), ensure_ascii=False)


def exchange(
    probe: str = "hello",
    *,
    status: int = 200,
    key: tuple[str, str] | None = ("x-api-key", REDACTED),
    method: str = "POST",
    path: str = "/v1/messages",
    body: str | None = None,
    model: str | None = None,
    id_: str = "",
) -> Exchange:
    """Return the evidence of one request."""
    headers = [("accept", "application/json"), ("user-agent", "metaio-verify/0.1.0")]
    if method == "POST":
        headers.append(("content-type", "application/json"))
    headers.append(("anthropic-version", "2023-06-01"))
    if key is not None:
        headers.append(key)
    return Exchange(
        id=id_ or probe,
        probe=probe,
        model=model,
        request=SentRequest(
            method=method,
            url=BASE + path,
            headers=headers,
            body=message() if body is None and method == "POST" else body or "",
        ),
        response=Received(
            status=status,
            http_version="HTTP/1.1",
            headers=[("content-type", "application/json")],
            text='{"type":"message"}',
        ),
        timing=Clock(headers=0.1, total=0.12, chunks=[(0.12, 18)]),
    )


def streamed(one: Exchange) -> Exchange:
    """Return the same request, answered with a stream."""
    answer = Received(
        status=200,
        http_version="HTTP/1.1",
        headers=[("content-type", "text/event-stream; charset=utf-8")],
        text='event: ping\ndata: {"type":"ping"}\n\n',
    )
    event = StreamEvent(at=0.1, event="ping", data={"type": "ping"})
    return replace(one, response=answer, events=[event])


def judgement(
    check: str,
    verdict: Verdict = Verdict.PASS,
    *findings: Finding,
    reason: str = "",
    model: str | None = None,
    exchanges: Sequence[str] = ("hello",),
) -> Judgement:
    """Return the verdict on one of the checks above."""
    return Judgement(
        check=check,
        level=_LEVELS.get(check, Level.MUST),
        verdict=verdict,
        model=model,
        contract=[_CONTRACT.get(check, "XXX-01")],
        reason=reason,
        findings=list(findings),
        exchanges=list(exchanges),
    )


def record(
    changes: Sequence[Judgement] = (),
    *,
    models: Sequence[str] = (MODEL,),
    more: Sequence[Exchange] = (),
    stopped: Stop | None = None,
    strict: bool = False,
    target: Target | None = None,
    **fields: Any,
) -> RunRecord:
    """Return a clean run, with some judgements replaced and some exchanges added."""
    changed = {(one.check, one.model): one for one in changes}
    verdicts = []
    for check in CHECKS:
        for model in models if check.startswith(PER_MODEL) else [None]:
            evidence = ["wrong-x-api-key"] if check == "auth.wrong-key" else ["hello"]
            clean = judgement(check, model=model, exchanges=evidence)
            verdicts.append(changed.pop((check, model), clean))
    verdicts += changed.values()
    found = RunRecord(
        tool=Tool(name="metaio-verify", version="0.1.0"),
        started="2026-11-22T19:48:03Z",
        duration_s=1.93,
        exit_code=0,
        target=target
        or Target(
            base_url=BASE,
            given_url=BASE,
            models=list(models),
            auth="x-api-key",
            auth_styles={"x-api-key": True, "bearer": True},
            listed_models=list(models),
        ),
        selection=Selection(profile="full", strict=strict),
        cost=Cost(requests=68, input_tokens=9120, output_tokens=1431),
        capabilities={model: {"role-system": True, "forced-tool-choice": True} for model in models},
        areas=AREAS,
        checks=CHECKS,
        verdicts=verdicts,
        exchanges=[
            exchange("hello", model=models[0] if models else None),
            exchange("models-list", method="GET", path="/v1/models"),
            exchange(
                "wrong-x-api-key", status=401, key=("x-api-key", "sk-ant-invalid-metaio-verify")
            ),
            *more,
        ],
        stopped=stopped,
    )
    code = exit_code(found.verdicts, strict=strict, stopped=stopped)
    return replace(found, **{"exit_code": int(code), **fields})

"""Synthetic run records: what the tests of the reports are made of."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from metaio_verify.outcome import exit_code
from metaio_verify.record import (
    REDACTED,
    Change,
    ChangeKind,
    CheckInfo,
    Clock,
    Cost,
    Difference,
    Exchange,
    Finding,
    Judgement,
    Received,
    Reference,
    RunRecord,
    Selection,
    SentRequest,
    Since,
    Stop,
    StreamEvent,
    Target,
    Tool,
    Waiver,
    WaiverState,
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
_PER_MODEL = ("messages.", "streaming.", "claude-code.")


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
        for model in models if check.startswith(_PER_MODEL) else [None]:
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


def clean() -> RunRecord:
    """Return a run without a flaw, on a model that Claude Code's picker keeps."""
    return record(models=["claude-sonnet-5-5"])


def failing() -> RunRecord:
    """Return a run with failures, a warning, a note and a legal refusal."""
    tools = [
        {
            "name": f"tool_{n}",
            "description": "does nothing " * 8,
            "input_schema": {"type": "object"},
        }
        for n in range(12)
    ]
    return record(
        [
            judgement(
                "auth.bearer",
                Verdict.FAIL,
                Finding(
                    expected="status 200",
                    actual="401 authentication_error: x-api-key header is required",
                    where="status",
                    exchange="hello-bearer",
                ),
                exchanges=["hello-bearer"],
            ),
            judgement(
                "streaming.events-in-order",
                Verdict.FAIL,
                *(
                    Finding(
                        expected=f"content_block_stop of block {n} before block {n + 1} begins",
                        actual=f"content_block_start of block {n + 1} while block {n} is open",
                        where=f"event {4 + n}",
                        exchange="stream-tools@gpt-5.4",
                    )
                    for n in range(5)
                ),
                model=MODEL,
                exchanges=["stream-tools@gpt-5.4"],
            ),
            judgement(
                "headers.request-id",
                Verdict.WARN,
                Finding(
                    expected="a request-id header",
                    actual="no such header",
                    where="header request-id",
                    exchange="hello",
                ),
            ),
            judgement(
                "models.picker-ids",
                Verdict.NOTE,
                Finding(
                    expected="an id with claude or anthropic in it",
                    actual="gpt-5.4",
                    where="$.data[0].id",
                    exchange="models-list",
                ),
            ),
            judgement(
                "streaming.forced-tool",
                Verdict.DECLINED,
                reason="tool_choice is refused by name (400), which clients can handle",
                model=MODEL,
            ),
            judgement(
                "claude-code.first-turn",
                Verdict.INCONCLUSIVE,
                reason="the endpoint is rate-limited: 429 after three tries",
                model=MODEL,
            ),
        ],
        more=[
            exchange(
                "hello-bearer",
                status=401,
                key=("authorization", f"Bearer {REDACTED}"),
            ),
            streamed(
                exchange(
                    "stream-tools",
                    id_="stream-tools@gpt-5.4",
                    model=MODEL,
                    path="/v1/messages?beta=true",
                    body=message("Call both tools.", stream=True, tools=tools),
                )
            ),
            exchange("burst", status=429, id_="burst/3"),
        ],
        target=Target(
            base_url=BASE,
            given_url=BASE,
            models=[MODEL],
            auth="x-api-key",
            auth_styles={"x-api-key": True, "bearer": False},
            listed_models=[MODEL, "claude-opus-5-5"],
        ),
    )


def two_models() -> RunRecord:
    """Return a run on two models: one finding on both, one on the second alone."""
    models = ["claude-a", "tiny-b"]

    def bare_id(model: str, token: str) -> Judgement:
        return judgement(
            "messages.id-prefix",
            Verdict.WARN,
            Finding(
                expected="an id that begins with msg_",
                actual=f"{model} answered VERIFY-{token} as chatcmpl-1",
                where="$.id",
                exchange=f"hello@{model}",
            ),
            model=model,
            exchanges=[f"hello@{model}"],
        )

    return record(
        [
            bare_id("claude-a", "AAAA1111"),
            bare_id("tiny-b", "BBBB2222"),
            judgement(
                "claude-code.first-turn",
                Verdict.FAIL,
                Finding(
                    expected="status 200",
                    actual="400 invalid_request_error: context_management: Extra inputs",
                    where="status",
                    exchange="first-turn@tiny-b",
                ),
                model="tiny-b",
                exchanges=["first-turn@tiny-b"],
            ),
        ],
        models=models,
        more=[
            *(exchange("hello", id_=f"hello@{model}", model=model) for model in models),
            exchange(
                "first-turn",
                id_="first-turn@tiny-b",
                status=400,
                model="tiny-b",
                path="/v1/messages?beta=true",
            ),
        ],
    )


def blocked() -> RunRecord:
    """Return a run in which one failure hides most of the rest."""
    reason = "hello was answered 500, so it was not tried"
    hidden = [check for check in CHECKS if check.startswith(_PER_MODEL)]
    return record(
        [judgement(c, Verdict.BLOCKED, reason=reason, model=MODEL, exchanges=[]) for c in hidden]
    )


def refused() -> RunRecord:
    """Return a run that ended because no credential style was taken."""
    stop = Stop(
        kind="refused",
        message=f"{BASE} refuses the credential as x-api-key and as Authorization: Bearer (401).",
        hints=[
            "Is it a token of this gateway? A key of the Anthropic console is not known there.",
            "Is the token enabled for the model?",
        ],
    )
    answers = [
        exchange("hello-x-api-key", status=401),
        exchange("hello-bearer", status=401, key=("authorization", f"Bearer {REDACTED}")),
    ]
    everything = [
        judgement(check, Verdict.BLOCKED, reason=stop.message, exchanges=[]) for check in CHECKS
    ]
    found = record(
        stopped=stop,
        target=Target(
            base_url=BASE,
            given_url=BASE,
            models=[],
            auth="x-api-key",
            auth_styles={"x-api-key": False, "bearer": False},
        ),
        capabilities={},
        cost=Cost(requests=2),
        duration_s=0.2,
    )
    return replace(found, verdicts=everything, exchanges=answers)


def interrupted() -> RunRecord:
    """Return a run that a person stopped after a first failure."""
    stop = Stop(kind="interrupted", message="The run was interrupted.")
    later = [check for check in CHECKS if check.startswith(_PER_MODEL)]
    return record(
        [
            judgement(
                "auth.wrong-key",
                Verdict.FAIL,
                Finding(expected="status 401", actual="500", where="status", exchange="hello"),
            ),
            *(
                judgement(c, Verdict.BLOCKED, reason=stop.message, model=MODEL, exchanges=[])
                for c in later
            ),
        ],
        stopped=stop,
    )


HOSTILE = (
    "\x1b[31mred\x1b[0m \x1b]8;;https://evil.example\x07click\x1b]8;;\x07 [bold]markup[/bold] "
    ":skull: line\nbreak\r\ttab \u202egnp.exe\u202c \x9b2J zero\u200bwidth \ud800 "
    "<script>alert(1)</script> | `tick` ``` *star* _under_ [link](javascript:alert(1)) "
    "![img](https://evil.example/x.png) $(reboot) 'quote' \"double\" # head"
)


def hostile() -> RunRecord:
    """Return a run against an endpoint that writes whatever may hurt into every string."""
    info = CheckInfo(
        title=HOSTILE,
        area="evil",
        sources=[HOSTILE, "https://example.com/)[x](javascript:alert(1))"],
        breaks={HOSTILE: HOSTILE, "claude-code": HOSTILE},
        fix=HOSTILE,
        workaround=HOSTILE,
    )
    finding = Finding(expected=HOSTILE, actual=HOSTILE, where=HOSTILE, exchange="evil")
    # The body cannot hold a lone surrogate: it was sent as UTF-8.
    text = HOSTILE.replace("\ud800", "")
    evil = replace(
        exchange("evil", body=message(text), path="/v1/messages?a=[b]&c='d"),
        events=[StreamEvent(at=0.1, event="x", data={"text": HOSTILE})],
    )
    found = record(
        [
            replace(
                judgement("evil.check", Verdict.FAIL, finding, exchanges=["evil"]), model=HOSTILE
            ),
            replace(
                judgement("evil.note", Verdict.NOTE, finding, exchanges=["evil"]), reason=HOSTILE
            ),
            judgement("evil.off", Verdict.DECLINED, reason=HOSTILE),
            judgement("evil.unknown", Verdict.INCONCLUSIVE, reason=HOSTILE),
        ],
        models=[HOSTILE, "a|b`c"],
        more=[evil],
        notices=[HOSTILE],
        areas={**AREAS, "evil": HOSTILE},
        target=Target(
            base_url="https://h/'\"$(reboot)`x`",
            given_url="https://h/v1",
            models=[HOSTILE, "a|b`c"],
            auth="x-api-key",
            auth_styles={"x-api-key": True, "bearer": None},
            listed_models=[HOSTILE],
        ),
        capabilities={HOSTILE: {HOSTILE: True}},
    )
    evils = dict.fromkeys(("evil.check", "evil.note", "evil.off", "evil.unknown"), info)
    return replace(found, checks={**CHECKS, **evils})


def with_stale_waiver() -> RunRecord:
    """Return a run in which only a waiver fails, held against an earlier run and a reference."""
    bad = "<img src=x>`\x1b[2J|"
    found = record(
        waivers=[
            Waiver(
                check="auth.bearer",
                model=bad,
                reason=bad,
                expires="2026-01-31",
                state=WaiverState.EXPIRED,
                detail="It expired on 2026-01-31. Mend the endpoint, or decide anew.",
                place="baseline.yaml:2:5",
            )
        ],
        since=Since(
            run=bad,
            started="2026-11-01T00:00:00Z",
            base_url=BASE,
            changes=[
                Change(
                    check="auth.bearer",
                    kind=ChangeKind.MENDED,
                    before=Verdict.FAIL,
                    now=Verdict.PASS,
                )
            ],
        ),
        reference=Reference(
            base_url="https://reference.example",
            auth="bearer",
            models={MODEL: bad},
            compared=7,
            differences=[
                Difference(
                    aspect="header",
                    where=bad,
                    target="sent",
                    reference="not there",
                    probes=["hello-bearer"],
                )
            ],
        ),
    )
    return replace(found, exit_code=1)


ALL = {
    maker.__name__.replace("_", "-"): maker
    for maker in (clean, failing, two_models, blocked, refused, interrupted, hostile)
}

"""Synthetic run records: what the tests of the reports are made of."""

from __future__ import annotations

from msgspec.structs import replace
from report.parts import (
    AREAS,
    BASE,
    CHECKS,
    MODEL,
    PER_MODEL,
    exchange,
    judgement,
    message,
    record,
    streamed,
)

from metaio_verify.record import (
    REDACTED,
    Change,
    ChangeKind,
    CheckInfo,
    Cost,
    Difference,
    Finding,
    Judgement,
    Reference,
    RunRecord,
    Since,
    Stop,
    StreamEvent,
    Target,
    Waiver,
    WaiverState,
)
from metaio_verify.verdict import Verdict


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
    hidden = [check for check in CHECKS if check.startswith(PER_MODEL)]
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
    later = [check for check in CHECKS if check.startswith(PER_MODEL)]
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

from __future__ import annotations

import pytest
from msgspec.structs import replace
from report.parts import BASE, MODEL, judgement, record
from report.records import clean, failing, interrupted, refused, two_models

from metaio_verify.record import CheckInfo, RunRecord, Stop
from metaio_verify.report.group import deviations, unsettled
from metaio_verify.report.summary import Outcome, summarise
from metaio_verify.verdict import Verdict

FAIL = Verdict.FAIL
_BOTH_STYLES = "x-api-key and as Authorization: Bearer"


def breaking(*clients: str) -> RunRecord:
    """Return a run with one failure that breaks these clients."""
    run = record([judgement("auth.bearer", FAIL)])
    info = replace(run.checks["auth.bearer"], breaks=dict.fromkeys(clients, "it breaks"))
    return replace(run, checks={**run.checks, "auth.bearer": info})


def only(*judged: str) -> RunRecord:
    """Return a run of these checks alone."""
    run = record()
    return replace(run, verdicts=[one for one in run.verdicts if one.check in judged])


HEADLINES = {
    "clean": (clean(), "Works: 10 of 10 must-checks pass"),
    "one check": (only("auth.bearer"), "Works: 1 of 1 must-check passes"),
    "no must": (only("headers.request-id"), "Works: 1 of 1 check passes"),
    "warning": (
        record([judgement("headers.request-id", Verdict.WARN)]),
        "Works, with 1 warning: 10 of 10 must-checks pass",
    ),
    "declined": (
        record([judgement("models.served", Verdict.DECLINED)]),
        "Works: 9 of 10 must-checks pass, 1 legally declined",
    ),
    "skipped": (
        record([judgement("models.served", Verdict.SKIPPED)]),
        "Works: 9 of 9 must-checks pass",
    ),
    "strict": (
        record([judgement("headers.request-id", Verdict.WARN)], strict=True),
        "Fails under --strict: 1 warning counts as failed; 10 of 10 must-checks pass",
    ),
    "failing": (failing(), "Claude Code will not work here: 2 of 10 must-checks fail"),
    "one model fails": (
        two_models(),
        "Claude Code will not work here with tiny-b: 1 of 10 must-checks fails",
    ),
    "SDKs only": (
        breaking("anthropic-sdk-python>=2", "anthropic-sdk-typescript>=1"),
        "Python SDK 2+ and TypeScript SDK 1+ will not work here: 1 of 10 must-checks fails",
    ),
    "a workaround": (
        record([judgement("auth.bearer", FAIL)]),
        "Claude Code works here only with a workaround: 1 of 10 must-checks fails",
    ),
    "workarounds": (
        record([judgement("auth.bearer", FAIL), judgement("models.served", FAIL)]),
        "Claude Code works here only with workarounds: 2 of 10 must-checks fail",
    ),
    "no workaround without a credential": (
        record(
            [judgement("auth.bearer", FAIL)],
            target=replace(clean().target, auth_styles={"x-api-key": False, "bearer": False}),
        ),
        "Claude Code will not work here: 1 of 10 must-checks fails",
    ),
    "many clients": (
        breaking("a", "b", "c"),
        "a and 2 other clients will not work here: 1 of 10 must-checks fails",
    ),
    "nobody is named": (
        breaking(),
        "Not ready for clients: 1 of 10 must-checks fails",
    ),
    "any client": (
        breaking("any-client"),
        "Not ready for clients: 1 of 10 must-checks fails",
    ),
    "blocked": (
        record([judgement("auth.bearer", Verdict.BLOCKED)]),
        "Not verified: 1 of 10 must-checks is blocked",
    ),
    "both unknown": (
        record(
            [
                judgement("auth.bearer", Verdict.BLOCKED),
                judgement("models.served", Verdict.INCONCLUSIVE),
            ]
        ),
        "Not verified: 2 of 10 must-checks could not be judged (1 inconclusive and 1 blocked)",
    ),
    "nothing selected": (only(), "Not verified: no check was selected"),
    "nothing judged": (
        replace(only(), verdicts=[judgement("headers.request-id", Verdict.SKIPPED)]),
        "Not verified: no check could be judged",
    ),
    "refused": (
        refused(),
        f"Not verified: {BASE} refuses the credential as {_BOTH_STYLES} (401)",
    ),
    "interrupted": (
        interrupted(),
        "Not verified: the run was interrupted; 1 of 10 must-checks fails so far",
    ),
}


@pytest.mark.parametrize(("run", "headline"), HEADLINES.values(), ids=HEADLINES)
def test_the_headline_says_it_at_a_glance(run: RunRecord, headline: str) -> None:
    """One sentence says whether it works, for whom it does not, and in how many checks."""
    assert summarise(run).headline == headline


def test_a_record_never_claims_more_than_its_verdicts() -> None:
    """An exit code of 0 beside a failed verdict is not believed."""
    assert summarise(replace(failing(), exit_code=0)).outcome is Outcome.BROKEN


def test_only_models_without_a_failure_are_verified() -> None:
    """The endpoint's own checks count for each model, a model's checks for that model alone."""
    assert summarise(two_models()).verified == ["claude-a"]
    assert summarise(breaking("x")).verified == []


def test_a_stopped_run_verifies_no_model() -> None:
    """What passed before a run was cut short is not enough."""
    stop = Stop(kind="deadline", message="The run was not finished after 900 s.")
    assert summarise(record(stopped=stop)).verified == []


def test_the_same_finding_on_two_models_is_one() -> None:
    """Findings that differ only in the model's name and the token are said once."""
    warning = deviations(two_models())[1]
    assert warning.models == ("claude-a", "tiny-b")
    assert len(warning.seen) == 1


def test_failures_come_before_warnings_before_notes() -> None:
    """The order of severity wins over the order of the suite."""
    verdicts = [one.verdict for one in deviations(failing())]
    assert verdicts == [FAIL, FAIL, Verdict.WARN, Verdict.NOTE]


def test_one_cause_is_one_group() -> None:
    """Checks that are blocked for the same reason stand together, with a count of the musts."""
    reason = "hello was answered 500"
    checks = ["auth.bearer", "headers.request-id", "models.served"]
    run = record([judgement(check, Verdict.BLOCKED, reason=reason) for check in checks])
    (group,) = unsettled(run, Verdict.BLOCKED)
    assert (group.reason, set(group.checks), group.musts) == (reason, set(checks), 2)


def test_an_unknown_check_is_reported_under_its_id() -> None:
    """A record without a description of a check is still reported."""
    run = replace(record([judgement("own.check", FAIL, model=MODEL)]), checks={})
    assert deviations(run)[0].info == CheckInfo(
        title="own.check", area="own", sources=[], breaks={}, fix=""
    )

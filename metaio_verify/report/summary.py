"""What a run comes to in numbers and in one sentence. Every report takes them from here."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct

from metaio_verify.exitcodes import ExitCode
from metaio_verify.outcome import exit_code, exit_code_of, fails, leaves_open, worse_since
from metaio_verify.record import CheckInfo, Judgement, Reach, RunRecord, Selection, WaiverState
from metaio_verify.report.group import Tally, applicable, info_of, tally
from metaio_verify.report.text import client, date, listed, plural
from metaio_verify.verdict import Level, Verdict

CLAUDE_CODE = "Claude Code"
_NAMED_CLIENTS = 2
_ADDS = "heavy"
"""The tag that adds checks to a selection instead of narrowing it."""


class Outcome(StrEnum):
    """What a customer may rely on."""

    WORKS = "works"
    BROKEN = "does not work"
    NOT_VERIFIED = "not verified"


class ModelResult(Struct, frozen=True):
    """What came of one model, the endpoint's own checks included."""

    model: str
    outcome: Outcome
    musts: Tally


class Summary(Struct, frozen=True):
    """The derived figures of a run."""

    outcome: Outcome
    headline: str
    """The verdict sentence, without a full stop."""
    closing: str
    """Why the exit code is what it is."""
    levels: dict[Level, Tally]
    models: list[ModelResult]

    @property
    def verified(self) -> list[str]:
        """The models that a customer can be told to use."""
        return [result.model for result in self.models if result.outcome is Outcome.WORKS]


def summarise(record: RunRecord) -> Summary:
    """Derive the figures and sentences of a run from its record."""
    code = _code(record)
    # A run that fails only on what got worse says nothing new about what a customer may rely on.
    found = exit_code(record.verdicts, strict=record.selection.strict, stopped=record.stopped)
    levels = {level: tally(one for one in record.verdicts if one.level is level) for level in Level}
    models = [_model_result(record, model) for model in record.target.models]
    return Summary(
        outcome=_OUTCOMES.get(found if code == ExitCode.OK else code, Outcome.NOT_VERIFIED),
        headline=_headline(record, found if code == ExitCode.OK else code, levels, models),
        closing=f"Exit code {code:d}: {_why(record, code, levels)}.",
        levels=levels,
        models=models,
    )


def narrowed(selection: Selection) -> list[str]:
    """Return the options that left a part of the profile out; what they left out is unknown."""
    return [
        *(f"--only {glob}" for glob in selection.only),
        *(f"--skip {glob}" for glob in selection.skip),
        *(f"--tag {tag}" for tag in selection.tags if tag != _ADDS),
    ]


_OUTCOMES: dict[int, Outcome] = {ExitCode.OK: Outcome.WORKS, ExitCode.FAILED: Outcome.BROKEN}


def _code(record: RunRecord) -> int:
    """The exit code of the run; a record never claims more than its verdicts say."""
    if record.exit_code != ExitCode.OK:
        return record.exit_code
    return exit_code_of(record)


def _model_result(record: RunRecord, model: str) -> ModelResult:
    judged = [one for one in record.verdicts if one.model in (None, model)]
    code = exit_code(judged, strict=record.selection.strict, stopped=record.stopped)
    musts = tally(one for one in judged if one.level is Level.MUST)
    return ModelResult(model, _OUTCOMES.get(code, Outcome.NOT_VERIFIED), musts)


def _headline(
    record: RunRecord, code: int, levels: dict[Level, Tally], models: list[ModelResult]
) -> str:
    musts = levels[Level.MUST]
    match code:
        case ExitCode.OK:
            warnings = levels[Level.SHOULD][Verdict.WARN] + musts[Verdict.WARN]
            works = f"{_works(record)}, with {plural(warnings, 'warning')}" if warnings else ""
            return f"{works or _works(record)}: {_passed(levels)}"
        case ExitCode.FAILED if any(one.verdict is Verdict.FAIL for one in record.verdicts):
            return f"{_who_breaks(record, _with(models))}: {_failed(record)}"
        case ExitCode.FAILED if _stale(record) and not _fails(record):
            return f"{_stale(record)[:1].upper()}{_stale(record)[1:]}; {_passed(levels)}"
        case ExitCode.FAILED:
            return f"Fails under --strict: {_strictly_failed(levels)}; {_passed(levels)}"
        case _:
            return f"Not verified: {_why(record, code, levels)}"


def _works(record: RunRecord) -> str:
    """Say that it works; a run for Claude Code says for whom."""
    if record.selection.profile != "claude-code":
        return "Works"
    return f"{CLAUDE_CODE} {max(reach_of_claude_code(record), Reach.WORKS, key=_ADVERSE.index)}"


_ADVERSE = [Reach.UNKNOWN, Reach.WORKS, Reach.FALLBACK, Reach.SETTING, Reach.BREAKS]


def reach_of_claude_code(record: RunRecord) -> Reach:
    """Return how far Claude Code gets; unknown when the record does not say."""
    found = (one.reach for one in record.clients if client(one.client) == CLAUDE_CODE)
    return next(found, Reach.UNKNOWN)


def _passed(levels: dict[Level, Tally]) -> str:
    """How much of the selection passes; the must-checks, or all when it has no must."""
    counts, noun = _most_important(levels)
    total, passed = applicable(counts), counts[Verdict.PASS]
    parts = [f"{passed} of {plural(total, noun)} {'passes' if passed == 1 else 'pass'}"]
    for verdict, words in _SPOKEN.items():
        if counts[verdict]:
            parts.append(f"{counts[verdict]} {words}")
    return ", ".join(parts)


_SPOKEN = {
    Verdict.DECLINED: "legally declined",
    Verdict.WAIVED: "waived",
    Verdict.WARN: "only warned about",
    Verdict.NOTE: "only noted",
}


def _most_important(levels: dict[Level, Tally]) -> tuple[Tally, str]:
    if applicable(levels[Level.MUST]):
        return levels[Level.MUST], "must-check"
    return sum(levels.values(), Tally()), "check"


def _failed(record: RunRecord) -> str:
    failing = [one for one in record.verdicts if one.verdict is Verdict.FAIL]
    count = len({one.check for one in failing})
    only_musts = all(one.level is Level.MUST for one in failing)
    scope = [one for one in record.verdicts if not only_musts or one.level is Level.MUST]
    noun = "must-check" if only_musts else "check"
    verb = "fails" if count == 1 else "fail"
    return f"{count} of {plural(applicable(tally(scope)), noun)} {verb}"


def _strictly_failed(levels: dict[Level, Tally]) -> str:
    count = sum(counts[Verdict.WARN] for counts in levels.values())
    return f"{plural(count, 'warning')} {'counts' if count == 1 else 'count'} as failed"


def _who_breaks(record: RunRecord, where: str) -> str:
    """Say whom the failures break, Claude Code before all others."""
    reach = reach_of_claude_code(record)
    if reach is Reach.SETTING:
        return f"{CLAUDE_CODE} works here only with a setting{where}"
    if reach in (Reach.WORKS, Reach.FALLBACK):
        others = [client(one.client) for one in record.clients if one.reach is Reach.BREAKS]
        if others:
            return f"{_several(others)} will not work here{where}"
        if reach is Reach.FALLBACK:
            return f"{CLAUDE_CODE} works here only with a fallback{where}"
        return f"{CLAUDE_CODE} works here, but with flaws{where}"
    failing = {one.check for one in record.verdicts if one.verdict is Verdict.FAIL}
    broken = [info_of(record, check) for check in sorted(failing)]
    here = [info for info in broken if CLAUDE_CODE in map(client, info.breaks)]
    styles = record.target.auth_styles.values()
    nothing_works = bool(styles) and True not in styles
    if here and not nothing_works and all(info.workaround for info in here):
        return f"{CLAUDE_CODE} works here only with {_workarounds(here)}{where}"
    if here:
        return f"{CLAUDE_CODE} will not work here{where}"
    names = list(dict.fromkeys(client(name) for info in broken for name in info.breaks))
    if not names or client("any-client") in names:
        return f"Not ready for clients{where}"
    return f"{_several(names)} will not work here{where}"


def _several(names: list[str]) -> str:
    if len(names) > _NAMED_CLIENTS:
        names = [names[0], plural(len(names) - 1, "other client")]
    return listed(names)


def _workarounds(broken: Sequence[CheckInfo]) -> str:
    return "a workaround" if len({info.workaround for info in broken}) == 1 else "workarounds"


def _with(models: list[ModelResult]) -> str:
    broken = [result.model for result in models if result.outcome is Outcome.BROKEN]
    return f" with {listed(broken)}" if 0 < len(broken) < len(models) else ""


def _why(record: RunRecord, code: int, levels: dict[Level, Tally]) -> str:
    """Why a run ended with its exit code, as a clause without a full stop."""
    match code:
        case ExitCode.OK if record.since is not None:
            return f"nothing got worse since the run of {date(record.since.started)}"
        case ExitCode.OK:
            return _passed(levels)
        case ExitCode.FAILED:
            return _why_failed(record, levels)
        case ExitCode.NOT_VERIFIED | ExitCode.INTERRUPTED if record.stopped is not None:
            message = record.stopped.message
            failing = any(fails(one, strict=False) for one in record.verdicts)
            so_far = f"; {_failed(record)} so far" if failing else ""
            return message[:1].lower() + message[1:].rstrip(".") + so_far
        case ExitCode.NOT_VERIFIED if not record.verdicts:
            return "no check was selected"
        case ExitCode.NOT_VERIFIED if any(map(leaves_open, record.verdicts)):
            return _open(record.verdicts)
        case ExitCode.NOT_VERIFIED:
            return "no check could be judged"
        case _:
            return "metaio-verify did not finish the run"


def _why_failed(record: RunRecord, levels: dict[Level, Tally]) -> str:
    """What fails the run: checks, or those that got worse, and waivers that are stale."""
    if record.since is not None:
        failing = _got_worse(record)
    elif any(fails(one, strict=False) for one in record.verdicts):
        failing = _failed(record)
    else:
        failing = f"--strict, and {_strictly_failed(levels)}" if _fails(record) else ""
    return ", and ".join(filter(None, [failing, _stale(record)]))


def _fails(record: RunRecord) -> bool:
    return any(fails(one, strict=record.selection.strict) for one in record.verdicts)


def _stale(record: RunRecord) -> str:
    """Which waivers have to be looked at; empty when there are none."""
    stale = [one for one in record.waivers if one.state.is_stale]
    if not stale:
        return ""
    states = {one.state for one in stale}
    one = len(stale) == 1
    if states == {WaiverState.EXPIRED}:
        verb = "has expired" if one else "have expired"
    else:
        state = WaiverState.UNUSED if states == {WaiverState.UNUSED} else "stale"
        verb = f"{'is' if one else 'are'} {state}"
    return f"{plural(len(stale), 'waiver')} {verb}"


def _got_worse(record: RunRecord) -> str:
    """What fails now and did not in the earlier run; empty when nothing does."""
    assert record.since is not None
    strict = record.selection.strict
    worse = worse_since(record.verdicts, record.since.changes)
    count = len({one.check for one in worse if fails(one, strict=strict)})
    if not count:
        return ""
    fail = "fails" if count == 1 else "fail"
    return f"{plural(count, 'check')} {fail} since the run of {date(record.since.started)}"


def _open(judgements: list[Judgement]) -> str:
    musts = tally(one for one in judgements if one.level is Level.MUST)
    unknown = {v: musts[v] for v in Verdict if v.is_unknown and musts[v]}
    total = plural(applicable(musts), "must-check")
    if len(unknown) == 1:
        verdict, count = unknown.popitem()
        return f"{count} of {total} {'is' if count == 1 else 'are'} {verdict}"
    kinds = listed([f"{count} {verdict}" for verdict, count in unknown.items()])
    return f"{sum(unknown.values())} of {total} could not be judged ({kinds})"

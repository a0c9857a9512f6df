"""How each check moved from one run to another."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from metaio_verify.record import Change, ChangeKind, Judgement, RunRecord, Since
from metaio_verify.verdict import Verdict

_RANK = {
    Verdict.PASS: 0,
    Verdict.DECLINED: 1,
    Verdict.NOTE: 2,
    Verdict.WARN: 3,
    Verdict.FAIL: 4,
}
"""From what a customer wishes to what breaks him; what is not known has no place in it."""

_VARIABLE = re.compile(
    r"VERIFY-[A-Z0-9]{8}"  # tokens
    r"|\b[a-z]+_[A-Za-z0-9]{6,}\b|\b[0-9a-f]{8,}(?:-[0-9a-f]{4,})*\b"  # ids
    r"|\d+\.\d+|\d{4,}"  # times and sizes
)


def models_of(before: RunRecord, now: RunRecord) -> dict[str, str]:
    """Return which model of the earlier run each model of the later one is compared with.

    The same id, or the only model of each: then two models are compared.
    """
    earlier, later = before.target.models, now.target.models
    if len(earlier) == len(later) == 1:
        return {later[0]: earlier[0]}
    return {model: model for model in later if model in earlier}


def changes(
    before: Iterable[Judgement], now: Iterable[Judgement], models: Mapping[str, str]
) -> list[Change]:
    """Return what changed, in the order of the later run; then what is not judged any more."""
    earlier = {(one.check, one.model): one for one in before}
    found: list[Change] = []
    for judgement in now:
        model = judgement.model
        key = (judgement.check, None if model is None else models.get(model, model))
        old = earlier.pop(key, None)
        kind = kind_of(old, judgement)
        if kind is not None:
            found.append(_change(kind, old, judgement))
    rest = (_change(ChangeKind.REMOVED, old, None) for old in earlier.values() if _is_there(old))
    return [*found, *rest]


def since(before: RunRecord, path: str, now: RunRecord) -> Since:
    """Return what changed since an earlier run, as far as it says something about the endpoint."""
    found = changes(before.verdicts, now.verdicts, models_of(before, now))
    kept = [
        one
        for one in found
        if one.kind is not ChangeKind.REMOVED
        and not (one.kind is ChangeKind.ADDED and one.now in _FINE)
    ]
    return Since(run=path, started=before.started, base_url=before.target.base_url, changes=kept)


_FINE = (Verdict.PASS, Verdict.DECLINED, Verdict.NOTE)


def kind_of(before: Judgement | None, now: Judgement | None) -> ChangeKind | None:
    """Return how a check moved; none when it did not."""
    if not _is_there(before):
        if not _is_there(now):
            return None
        is_failure = now is not None and now.verdict is Verdict.FAIL
        return ChangeKind.NEW_FAILURE if is_failure else ChangeKind.ADDED
    if not _is_there(now):
        return ChangeKind.REMOVED
    assert before is not None
    assert now is not None
    return _moved(before, now)


def _moved(before: Judgement, now: Judgement) -> ChangeKind | None:
    was, is_ = before.found, now.found
    if is_.is_unknown:
        lost = ChangeKind.UNCLEAR if was is Verdict.FAIL else ChangeKind.UNKNOWN
        return None if was.is_unknown else lost
    if is_ is Verdict.FAIL and was is not Verdict.FAIL:
        return ChangeKind.WORSE if now.verdict is Verdict.WAIVED else ChangeKind.NEW_FAILURE
    if was.is_unknown or _rank(is_) < _rank(was):
        return ChangeKind.MENDED if was is Verdict.FAIL else ChangeKind.BETTER
    if _rank(is_) > _rank(was):
        return ChangeKind.WORSE
    if (before.verdict is Verdict.WAIVED) != (now.verdict is Verdict.WAIVED):
        return ChangeKind.WAIVER
    if is_.is_deviation and _shown(before) != _shown(now):
        return ChangeKind.FINDINGS
    return None


def _rank(verdict: Verdict) -> int:
    # A record of somebody's making may hold a verdict that no run gives.
    return _RANK.get(verdict, _RANK[Verdict.FAIL])


def _is_there(judgement: Judgement | None) -> bool:
    return judgement is not None and judgement.verdict is not Verdict.SKIPPED


def _shown(judgement: Judgement) -> set[tuple[str, ...]]:
    """The findings without what differs in each run: tokens, ids, times, the model's name."""
    return {
        tuple(_lasting(text, judgement.model) for text in (one.expected, one.actual, one.where))
        for one in judgement.findings
    } or {(_lasting(judgement.reason, judgement.model),)}


def _lasting(text: str, model: str | None) -> str:
    return _VARIABLE.sub("…", text.replace(model, "…") if model else text)


def _change(kind: ChangeKind, before: Judgement | None, now: Judgement | None) -> Change:
    judgement = now or before
    assert judgement is not None
    return Change(
        check=judgement.check,
        model=judgement.model,
        kind=kind,
        before=before.verdict if before else None,
        now=now.verdict if now else None,
    )


def in_order(found: Sequence[Change]) -> list[Change]:
    """Return changes by kind, the most important first."""
    order = list(ChangeKind)
    return sorted(found, key=lambda one: order.index(one.kind))

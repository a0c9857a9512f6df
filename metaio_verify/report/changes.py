"""What is different since an earlier run, as far as a customer notices it."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from metaio_verify.record import Reach, RunRecord
from metaio_verify.report import capabilities, clients
from metaio_verify.report.environment import settings
from metaio_verify.report.group import deviations, info_of
from metaio_verify.report.summary import summarise
from metaio_verify.verdict import Verdict


class Changes(Struct, frozen=True):
    """Sentences, with code in backquotes; each list may be empty."""

    better: list[str]
    worse: list[str]
    other: list[str]

    def __bool__(self) -> bool:
        return bool(self.better or self.worse or self.other)


def changes(before: RunRecord, now: RunRecord) -> Changes:
    """Compare two runs. What was not judged in both of them is no change of the endpoint."""
    found = Changes([], [], list(_address(before, now)))
    _models(before, now, found)
    _clients(before, now, found)
    _checks(before, now, found)
    _capabilities(before, now, found)
    found.other.extend(_variables(before, now))
    return found


def _address(before: RunRecord, now: RunRecord) -> Iterator[str]:
    if before.target.base_url != now.target.base_url:
        yield f"The address was `{before.target.base_url}`"
    if before.selection.profile != now.selection.profile:
        yield (
            f"The earlier run had the profile `{before.selection.profile}`; only what both judged "
            "is compared"
        )


def _models(before: RunRecord, now: RunRecord, found: Changes) -> None:
    was, is_ = summarise(before).verified, summarise(now).verified
    found.better.extend(f"`{model}` is verified" for model in is_ if model not in was)
    tested = [model for model in was if model in now.target.models]
    found.worse.extend(f"`{model}` is no longer verified" for model in tested if model not in is_)


def _clients(before: RunRecord, now: RunRecord, found: Changes) -> None:
    ranks = [reach for reach in Reach if reach is not Reach.UNKNOWN]
    was = {row.client: row.reach for row in clients.rows(before)}
    for row in clients.rows(now):
        old = was.get(row.client, Reach.UNKNOWN)
        if old in ranks and row.reach in ranks and old is not row.reach:
            side = found.better if ranks.index(row.reach) < ranks.index(old) else found.worse
            side.append(f"{row.client}: {row.text} (before: {old})")


def _checks(before: RunRecord, now: RunRecord, found: Changes) -> None:
    old, new = _deviating(before), _deviating(now)
    passed, pass_ = _passing(before), _passing(now)
    mended = [check for check in old if check not in new and check in pass_]
    broken = [check for check in new if check not in old and check in passed]
    found.better.extend(f"Met now: {info_of(now, check).title}" for check in mended)
    found.worse.extend(f"No longer met: {info_of(now, check).title}" for check in broken)


def _deviating(record: RunRecord) -> list[str]:
    found = [one.check for one in deviations(record) if one.verdict is not Verdict.NOTE]
    return list(dict.fromkeys(found))


def _passing(record: RunRecord) -> set[str]:
    return {one.check for one in record.verdicts if one.verdict is Verdict.PASS}


def _capabilities(before: RunRecord, now: RunRecord, found: Changes) -> None:
    was = {row.name: row.models for row in capabilities.rows(before)}
    for row in capabilities.rows(now):
        for model, has in row.models.items():
            had = was.get(row.name, {}).get(model)
            if had is not None and has is not None and had is not has:
                side = found.better if has else found.worse
                side.append(f"`{model}`: {row.name} {'works' if has else 'no longer works'}")


def _variables(before: RunRecord, now: RunRecord) -> Iterator[str]:
    """What customers have to set otherwise than before."""
    was = {one.name: one.value for one in settings(before) if one.needed}
    is_ = {one.name: one.value for one in settings(now) if one.needed}
    for name in {**is_, **was}:
        if name not in was:
            yield f"`{name}` has to be set"
        elif name not in is_:
            yield f"`{name}` is no longer needed"
        elif was[name] != is_[name] and name != "ANTHROPIC_BASE_URL":
            yield f"`{name}` was `{was[name]}`"

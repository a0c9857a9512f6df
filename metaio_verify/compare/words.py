"""What the formats of a comparison say alike."""

from __future__ import annotations

from collections.abc import Sequence

from metaio_verify.compare.latency import LEAST
from metaio_verify.compare.model import Comparison, Latency, Run
from metaio_verify.record import ChangeKind
from metaio_verify.report.layout import joined
from metaio_verify.report.text import date, listed, moment, plural, seconds
from metaio_verify.verdict import Verdict

SAME = "same everywhere"


def title(comparison: Comparison) -> str:
    """Return who is compared with whom, and the result."""
    headline = comparison.headline
    return f"{against(comparison)}: {headline[:1].lower()}{headline[1:]}"


def against(comparison: Comparison) -> str:
    """Return `B against A`."""
    labels = [
        (comparison.columns[now].label, comparison.columns[before].label)
        for before, now in comparison.pairs
    ]
    later, earlier = (list(dict.fromkeys(side)) for side in zip(*labels, strict=True))
    return f"{listed(later)} against {listed(earlier)}"


def facts(run: Run) -> str:
    """Return what a run was about, in a line."""
    time = moment(run.started)
    when = f"{date(run.started)}, {time:%H:%M} UTC" if time else date(run.started)
    return joined([run.base_url, ", ".join(run.models), when, f"profile {run.profile}"])


def spent(run: Run) -> str:
    """Return what a run cost."""
    cost = run.cost
    tokens = f"{cost.input_tokens:,} tokens in, {cost.output_tokens:,} out"
    return joined([plural(cost.requests, "request"), tokens, seconds(run.duration_s)])


def sides(labels: Sequence[str], values: Sequence[object | None], unknown: str) -> str:
    """Return `A: works · B: breaks`, or the value alone when all have it."""
    words = [unknown if value is None else str(value) for value in values]
    if len(set(words)) == 1:
        return words[0]
    by_word: dict[str, list[str]] = {}
    for label, word in zip(labels, words, strict=True):
        by_word.setdefault(word, []).append(label)
    return joined([f"{', '.join(names)}: {word}" for word, names in by_word.items()])


def yes(has: bool | None) -> str | None:  # noqa: FBT001 - it says what the value is
    """Return a capability as a word."""
    return None if has is None else "yes" if has else "no"


def pace(comparison: Comparison) -> str:
    """Return how a usual request moved; empty when nothing could be compared."""
    factor = comparison.pace
    if factor is None:
        return ""
    who = against(comparison)
    if abs(comparison.shift_s or 0.0) < LEAST:
        return f"{who}: a usual request takes as long, within {LEAST:g} s."
    return f"{who}: a usual request takes {factor:g} times as long ({comparison.shift_s:+.2f} s)."


def moved(comparison: Comparison) -> list[Latency]:
    """Return the probes that moved by more than noise."""
    return [one for one in comparison.latencies if one.moved]


def times(one: Latency, column: int) -> str:
    """Return the first byte and the total of a probe on a target."""
    first, total = one.first_byte[column], one.total[column]
    return "–" if first is None or total is None else f"{first:.2f}/{total:.2f}"


def agreed(comparison: Comparison) -> str:
    """Return how many checks are the same on all targets, by verdict."""
    counts: dict[Verdict, int] = {}
    for row in comparison.same:
        cell = row.cells[-1]
        if cell is not None:
            counts[cell.verdict] = counts.get(cell.verdict, 0) + 1
    named = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    total = plural(len(comparison.same), "check")
    return f"{total} {'is' if len(comparison.same) == 1 else 'are'} the same: {named}"


def closing(comparison: Comparison) -> str:
    """Return why the exit code is what it is."""
    who = against(comparison)
    if comparison.exit_code != comparison.outcome:
        return f"Exit code {comparison.exit_code}, as asked, whatever is worse: {who}."
    match comparison.outcome:
        case 0:
            return f"Exit code 0: nothing is worse, {who}."
        case 1:
            failing = len(comparison.of_kind(ChangeKind.NEW_FAILURE))
            what = (
                f"{plural(failing, 'check')} {'fails' if failing == 1 else 'fail'}"
                if failing
                else ("a warning counts as failed (--strict)")
            )
            return f"Exit code 1: {what} anew, {who}."
        case code:
            return f"Exit code {code}: what is needed to tell is not known, {who}."

"""The page's section on what differs from the contract, and what is off."""

from __future__ import annotations

from metaio_verify.report.group import Deviation, Unsettled, info_of, unsettled, waived
from metaio_verify.report.markup import bullets, code, prose, sentence
from metaio_verify.report.onboarding import Page
from metaio_verify.report.text import listed, plural
from metaio_verify.verdict import Verdict


def known_deviations(page: Page) -> str:
    """Return the section: each deviation with its workaround, then what is off or unknown."""
    parts = ["## Known deviations"]
    accepted = waived(page.record)
    if not page.deviations and not accepted:
        judged = any(one.verdict is Verdict.PASS for one in page.record.verdicts)
        parts.append(
            "None that breaks or degrades a client was found."
            if judged
            else "Nothing could be measured."
        )
    else:
        parts.append("Each heading is a requirement that this endpoint does not meet.")
    parts += [_deviation(page, one) for one in [*page.deviations, *accepted]]
    parts += [
        _unsettled(page, "Features that are off", Verdict.DECLINED),
        _unsettled(page, "Not known", Verdict.INCONCLUSIVE, Verdict.BLOCKED),
    ]
    return "\n\n".join(filter(None, parts))


def _deviation(page: Page, one: Deviation) -> str:
    """One deviation; how to mend it is said only on a page that is not for customers yet."""
    items = [sentence(one.reason[:1].upper() + one.reason[1:])] if one.is_tolerated else []
    items += [f"{prose(name)}: {sentence(effect)}" for name, effect in one.effects.items()]
    if one.seen:
        finding = one.seen[0].finding
        items.append(f"Measured: expected {sentence(finding.expected)}; got {code(finding.actual)}")
    if one.models and len(page.record.target.models) > 1:
        items.append(f"With {listed([code(model) for model in one.models])}")
    if one.info.workaround:
        items.append(f"Workaround: {sentence(one.info.workaround)}")
    else:
        items.append("Workaround: none is known for clients")
    if one.info.fix and not page.works:
        items.append(f"To mend it: {sentence(one.info.fix)}")
    weight = "" if one.verdict is Verdict.FAIL else " (a warning)"
    return f"### {sentence(one.info.title)}{weight}\n\n{bullets(items)}"


def _unsettled(page: Page, title: str, *verdicts: Verdict) -> str:
    groups = [group for verdict in verdicts for group in unsettled(page.record, verdict)]
    if not groups:
        return ""
    items = [f"{_capital(sentence(one.reason))} ({_of_what(page, one)})" for one in groups]
    return f"### {title}\n\n{bullets(items)}"


def _of_what(page: Page, group: Unsettled) -> str:
    """The requirement in question, or how many there are."""
    if len(group.checks) > 1:
        return plural(len(group.checks), "check")
    return f"“{sentence(info_of(page.record, group.checks[0]).title)}”"


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"

"""The comparison as one page for a browser, which loads nothing."""

from __future__ import annotations

from metaio_verify.compare import words
from metaio_verify.compare.model import Comparison, sections
from metaio_verify.report import web
from metaio_verify.report.terminal import SIGNS
from metaio_verify.report.text import plural

_PACKAGE = "metaio_verify.compare"
_OUTCOMES = {0: "pass", 1: "fail"}


def render(comparison: Comparison) -> str:
    """Return the page."""
    environment = web.environment(_PACKAGE)
    differing = [one for one in comparison.capabilities if len(set(one.has)) > 1]
    rest = len(comparison.capabilities) - len(differing)
    return web.page(
        environment.get_template("compare.html.j2"),
        _PACKAGE,
        "compare.css",
        script="",
        comparison=comparison,
        words=words,
        sections=sections(comparison),
        outcome=_OUTCOMES.get(comparison.outcome, "blocked"),
        signs={verdict: sign.unicode for verdict, sign in SIGNS.items()},
        capabilities=differing,
        others=f"{plural(rest, 'capability', 'capabilities')} {words.SAME}" if rest else "",
        moved=words.moved(comparison),
    )

"""The comparison as one page for a browser, which loads nothing.

The template escapes everything; strings of a server also pass `safe`. The page's policy forbids
every address and every style but its own.
"""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files

import jinja2
from markupsafe import Markup

from metaio_verify.compare import words
from metaio_verify.compare.model import Comparison, sections
from metaio_verify.report.terminal import SIGNS
from metaio_verify.report.text import plural, safe

_OUTCOMES = {0: "pass", 1: "fail"}


def render(comparison: Comparison) -> str:
    """Return the page."""
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_template),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["safe_text"] = safe
    style = _template("compare.css")
    differing = [one for one in comparison.capabilities if len(set(one.has)) > 1]
    rest = len(comparison.capabilities) - len(differing)
    page = environment.get_template("compare.html.j2").render(
        comparison=comparison,
        words=words,
        sections=sections(comparison),
        outcome=_OUTCOMES.get(comparison.outcome, "blocked"),
        signs={verdict: sign.unicode for verdict, sign in SIGNS.items()},
        capabilities=differing,
        others=f"{plural(rest, 'capability', 'capabilities')} {words.SAME}" if rest else "",
        moved=words.moved(comparison),
        style=Markup(style),  # noqa: S704 - a file of this package
        policy=_policy(style),
    )
    return page.rstrip("\n") + "\n"


def _policy(style: str) -> str:
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _template(name: str) -> str:
    return files("metaio_verify.compare").joinpath("templates", name).read_text(encoding="utf-8")

"""A badge: an SVG of its own, and the JSON that badge services read from an address.

It says what a customer may rely on. A badge is public, so it does not name the endpoint.
"""

from __future__ import annotations

import json
from html import escape

from msgspec import Struct

from metaio_verify.record import Reach, RunRecord
from metaio_verify.report.group import applicable
from metaio_verify.report.summary import CLAUDE_CODE, Outcome, reach_of_claude_code, summarise
from metaio_verify.report.text import date, listed, plural, safe
from metaio_verify.report.waivers import stale
from metaio_verify.verdict import Level, Verdict

_API = "Anthropic API"
_COLOURS = {"brightgreen": "#2a7d3f", "yellow": "#946300", "red": "#b4282d", "lightgrey": "#5d6470"}
"""The colours of badge services → ours, dark enough for white letters (4.5 to 1 at least)."""
_LABEL_COLOUR = "#3b4048"
_HEIGHT, _PADDING = 20, 7
_WIDTHS = {
    3.9: "ijl|.,:;!'() I[]",
    4.8: 'frt-/\\"',
    9.6: "mMwW%@",
    8.2: "ABCDGHKNOPQRUVXY",
    7.3: "EFJLSTZ&$",
}
"""Widths of letters in Verdana at 11 pixels, roughly; `textLength` makes them exact."""
_OF = {letter: width for width, letters in _WIDTHS.items() for letter in letters}
_COMMON, _WIDE = 6.7, 11.0


class Badge(Struct, frozen=True):
    """What a badge says."""

    label: str
    message: str
    colour: str
    """As badge services call it."""
    title: str
    """The whole sentence, for screen readers and as a tooltip."""


def badge(record: RunRecord) -> Badge:
    """Derive what the badge says."""
    summary = summarise(record)
    reach = reach_of_claude_code(record)
    musts = summary.levels[Level.MUST]
    label = _API if reach is Reach.UNKNOWN else CLAUDE_CODE
    match summary.outcome:
        case Outcome.WORKS:
            sure = Reach.WORKS if reach is Reach.UNKNOWN else reach
            message = f"{sure} · {date(record.started)}"
            colour = "brightgreen" if sure is Reach.WORKS else "yellow"
        case Outcome.BROKEN:
            # Where only other clients break, it must not say that Claude Code does.
            label = CLAUDE_CODE if reach is Reach.BREAKS else _API
            failed = musts[Verdict.FAIL]
            verb = "fails" if failed == 1 else "fail"
            if failed:
                message = f"{plural(failed, 'must-check')} {verb}"
            else:
                message = "waivers are stale" if stale(record) else "fails (strict)"
            colour = "red"
        case Outcome.NOT_VERIFIED:
            message, colour = "not verified", "lightgrey"
    passed = f"{musts[Verdict.PASS]} of {plural(applicable(musts), 'must-check')} pass"
    models = f" with {listed(record.target.models)}" if record.target.models else ""
    title = safe(
        f"{label}: {message}. {passed}{models}. "
        f"Verified by metaio-verify {record.tool.version} on {date(record.started)}."
    )
    return Badge(label, message, colour, title)


def endpoint(record: RunRecord) -> str:
    """Return the badge as JSON, in the form that shields.io reads from an endpoint."""
    found = badge(record)
    fields = {
        "schemaVersion": 1,
        "label": found.label,
        "message": found.message,
        "color": found.colour,
        "isError": found.colour == "red",
    }
    return json.dumps(fields, ensure_ascii=False, indent=2) + "\n"


def svg(record: RunRecord) -> str:
    """Return the badge as an image that refers to nothing outside of it."""
    found = badge(record)
    left, right = _width(found.label), _width(found.message)
    total = left + right
    title = escape(found.title)
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{total}" height="{_HEIGHT}" '
                f'viewBox="0 0 {total} {_HEIGHT}" role="img" aria-label="{title}">'
            ),
            f"  <title>{title}</title>",
            f'  <clipPath id="round"><rect width="{total}" height="{_HEIGHT}" rx="4"/></clipPath>',
            '  <g clip-path="url(#round)">',
            f'    <rect width="{left}" height="{_HEIGHT}" fill="{_LABEL_COLOUR}"/>',
            (
                f'    <rect x="{left}" width="{right}" height="{_HEIGHT}" '
                f'fill="{_COLOURS[found.colour]}"/>'
            ),
            "  </g>",
            '  <g fill="#fff" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11">',
            _text(found.label, _PADDING, left),
            _text(found.message, left + _PADDING, right),
            "  </g>",
            "</svg>",
            "",
        ]
    )


def _text(text: str, x: int, width: int) -> str:
    length = width - 2 * _PADDING
    return f'    <text x="{x}" y="14" textLength="{length}">{escape(text)}</text>'


def _width(text: str) -> int:
    letters = sum(
        _OF.get(sign, _COMMON if sign.isascii() or sign == "·" else _WIDE) for sign in text
    )
    return round(letters) + 2 * _PADDING

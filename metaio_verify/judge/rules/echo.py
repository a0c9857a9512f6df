"""Rules about a line that the model was asked to repeat: whether every character survived.

A model may repeat it in another form, or not at all. So each rule names the ways in which software
damages text; what is none of them is the model's own wording.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from metaio_verify.judge.evidence import Evidence
from metaio_verify.judge.rules.registry import (
    Answers,
    UnsureError,
    deviation,
    each,
    rule,
)
from metaio_verify.judge.wording import shown
from metaio_verify.record import Finding, Target

_ENCODINGS = ("latin-1", "cp1252")
_SPACES = re.compile(r"\s+")
_MOST_WORDS_LOST = 2


@rule(required=("line",))
def characters_survive(
    answers: Answers, args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """Text beyond ASCII comes back as it was sent, not decoded wrongly, replaced or removed."""
    findings = []
    for evidence in each(answers):
        text, line = unicodedata.normalize("NFC", evidence.text or ""), args["line"]
        if line in text:
            continue
        damage = _damage(text, line)
        if not damage:
            raise UnsureError(f"the model did not repeat {shown(line)}: {shown(evidence.text)}")
        findings.append(deviation(evidence, shown(line), f"{damage}: {shown(text)}", "text"))
    return findings


def _damage(text: str, line: str) -> str:
    """Say how software damaged a line; empty when it may be the model's wording."""
    if "\ufffd" in text:
        return "replacement characters"
    special = [char for char in dict.fromkeys(line) if not char.isascii()]
    for encoding in _ENCODINGS:
        wrong = [char.encode().decode(encoding, "ignore") for char in special]
        if any(one in text for one in wrong if len(one) > 1):
            return "UTF-8 that was read as Latin-1"
    if any(char.encode("unicode_escape").decode() in text for char in special):
        return "escape sequences in place of characters"
    for sign, what in (("?", "question marks in place of characters"), ("", "characters removed")):
        words = ("".join(c if c.isascii() else sign for c in word) for word in line.split())
        traces = [re.escape(word) for word in words if any(c.isalpha() for c in word)]
        if any(re.search(rf"(?<!\w){trace}(?!\w)", text) for trace in traces):
            return what
    return ""


@rule(required=("line",))
def text_once(
    answers: Answers, args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """The repeated line, which `line` and the token make, is there once and whole.

    What is doubled, cut at its beginning or bare of its spaces was put together wrongly; a line
    in other words is the model's own.
    """
    findings = []
    for evidence in each(answers):
        line = f"{args['line']} {evidence.exchange.values.get('token', '')}".strip()
        text = (evidence.text or "").strip()
        if wrong := _misjoined(text, line, evidence):
            findings.append(deviation(evidence, shown(line), f"{wrong}: {shown(text)}", "text"))
        elif line not in text:
            raise UnsureError(f"the model did not repeat {shown(line)}: {shown(text)}")
    return findings


def _misjoined(text: str, line: str, evidence: Evidence) -> str:
    """Say how the pieces of a stream were put together wrongly; empty when they were not."""
    if not text:
        return "nothing" if _lost_everything(evidence) else ""
    half = len(text) // 2
    if line in text and text[:half].strip() == text[-half:].strip():
        return "the whole text twice"
    head = text.removesuffix(line)
    if head != text and head and line.startswith(head.rstrip()):
        return "its beginning twice"
    if text != line and line.endswith(text) and _lost_beginning(text, line):
        return "its beginning is lost"
    if line not in text and _SPACES.sub("", line) in _SPACES.sub("", text):
        # Between two words that have no letters, a model leaves out a space by itself.
        pairs = [
            one + other
            for one, other in pairwise(line.split())
            if (one + other)[:1].isascii() or (one + other)[-1:].isascii()
        ]
        return "spaces are lost" if any(pair in text for pair in pairs) else ""
    return ""


def _lost_beginning(text: str, line: str) -> bool:
    """Whether only a first piece is missing; a model that leaves out more does so itself."""
    lost = line.removesuffix(text)
    return not lost.endswith(" ") or len(lost.split()) <= _MOST_WORDS_LOST


def _lost_everything(evidence: Evidence) -> bool:
    """Whether an answer without text says that it is complete and cost more than a few tokens."""
    used = evidence.value("usage", "output_tokens")
    complete = evidence.value("stop_reason") == "end_turn"
    return complete and isinstance(used, int) and used >= _LINE_TOKENS


_LINE_TOKENS = 8

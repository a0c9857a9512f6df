"""A line that the model repeats: damage by software is told from the model's own wording."""

from __future__ import annotations

from typing import Any

import pytest
from judge.judging import apply_rule, exchange, message

from metaio_verify.judge.rules.registry import UnsureError
from metaio_verify.record import Exchange

LINE = "red Grüße 漢字 🙂 blue"
TOKEN = "VERIFY-AAAAAAAA"
WHOLE = f"{LINE} {TOKEN}"
CHARACTERS: dict[str, Any] = {"line": "Grüße 漢字 🙂"}


def says(text: str, **change: Any) -> Exchange:
    """An answer to somebody who has the line repeated."""
    usage = {"input_tokens": 9, "output_tokens": 12}
    body = message(content=[{"type": "text", "text": text}], **{"usage": usage, **change})
    return exchange(body, values={"token": TOKEN})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (LINE.encode().decode("latin-1"), "read as Latin-1"),
        (LINE.encode().decode("cp1252", "replace"), "read as Latin-1"),
        ("red Gr??e ?? ? blue", "question marks"),
        ("red Gre   blue", "removed"),
        (LINE.encode("unicode_escape").decode(), "escape sequences"),
        ("red Gr\ufffd\ufffde", "replacement characters"),
    ],
)
def test_damaged_characters_are_found(text: str, said: str) -> None:
    """Each has a cause that is no model's."""
    ((where, _, actual),) = apply_rule("characters-survive", says(text), **CHARACTERS)
    assert where == "text"
    assert said in actual


@pytest.mark.parametrize("text", [LINE, f"Sure: “{LINE}”.", LINE.replace("ü", "u\u0308")])
def test_characters_that_survived(text: str) -> None:
    """Composed or not, and whatever stands around them."""
    assert apply_rule("characters-survive", says(text), **CHARACTERS) == []


@pytest.mark.parametrize("text", ["red Gruesse blue", "red Grüße 漢字 blue", "I cannot.", ""])
def test_other_words_accuse_nobody(text: str) -> None:
    """A model may leave out or rewrite what it was to repeat."""
    with pytest.raises(UnsureError):
        apply_rule("characters-survive", says(text), **CHARACTERS)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (WHOLE + WHOLE, "the whole text twice"),
        (f"{WHOLE}\n{WHOLE}", "the whole text twice"),
        (f"red {WHOLE}", "its beginning twice"),
        (WHOLE.removeprefix("red "), "its beginning is lost"),
        (WHOLE.removeprefix("red Gr"), "its beginning is lost"),
        (WHOLE.replace(" ", ""), "spaces are lost"),
        ("", "nothing"),
    ],
)
def test_pieces_that_were_put_together_wrongly_are_found(text: str, said: str) -> None:
    """Doubled, lost, or bare of their spaces."""
    ((where, _, actual),) = apply_rule("text-once", says(text), line=LINE)
    assert where == "text"
    assert actual.startswith(said)


@pytest.mark.parametrize("text", [WHOLE, f"Sure: {WHOLE}", f"“{WHOLE}”\n"])
def test_a_line_that_is_whole(text: str) -> None:
    """Words around it are the model's."""
    assert apply_rule("text-once", says(text), line=LINE) == []


@pytest.mark.parametrize(
    "answer",
    [
        says(TOKEN),
        says(f"blue {TOKEN}"),
        says(WHOLE.replace("漢字 🙂", "漢字🙂")),
        says("I cannot help with that."),
        says("", stop_reason="refusal"),
    ],
    ids=["token", "end", "joined", "unwilling", "refused"],
)
def test_a_line_in_other_words_accuses_nobody(answer: Exchange) -> None:
    """A model may shorten or rewrite it."""
    with pytest.raises(UnsureError):
        apply_rule("text-once", answer, line=LINE)

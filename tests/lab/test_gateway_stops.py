"""How the lab's translating gateways look for stop sequences."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from metaio_verify.lab.gateway.stops import StopWatch, cut


@given(
    pieces=st.lists(st.text("ab.", max_size=4)),
    stops=st.lists(st.text("ab.", min_size=1, max_size=3), max_size=3),
)
def test_a_stream_ends_where_a_plain_answer_does(pieces: list[str], stops: list[str]) -> None:
    """However the text is cut into pieces: all before the first sequence comes, and no more."""
    text = "".join(pieces)
    places = [place for stop in stops if (place := text.find(stop)) >= 0]
    wanted = text[: min(places)] if places else text
    watch = StopWatch(stops)
    assert "".join(map(watch.passed, pieces)) + watch.rest() == wanted
    plain = cut({"content": [{"type": "text", "text": text}], "stop_reason": "end_turn"}, stops)
    assert "".join(block["text"] for block in plain["content"]) == wanted
    assert (plain["stop_reason"] == "stop_sequence") == bool(places) == (watch.met is not None)

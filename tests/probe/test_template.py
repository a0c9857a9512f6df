from __future__ import annotations

import re

from metaio_verify.probe.fire import merge
from metaio_verify.probe.template import Values, fill, references


def test_a_whole_reference_becomes_the_value_itself() -> None:
    """A captured list is put in place of the string; inside text it is written out."""
    values = Values("m", {"tool-call": {"content": [{"type": "text"}], "id": "toolu_1"}})
    body = {"a": "${tool-call.content}", "b": "id ${tool-call.id} of ${model}"}
    assert fill(body, values) == {"a": [{"type": "text"}], "b": "id toolu_1 of m"}


def test_an_item_is_repeated_for_each_captured_value() -> None:
    """Each value gets an item of its own, among the others; the rest is the same in all."""
    values = Values("m", {"call": {"ids": ["a", "b"]}})
    item = {"for-each": "${call.ids}", "send": {"id": "${each}", "text": "${token}"}}
    first, one, two = fill([{"x": 1}, item], values)
    assert first == {"x": 1}
    assert (one["id"], two["id"]) == ("a", "b")
    assert one["text"] == two["text"] == values.used["token"]


def test_tokens_are_made_once_and_differ() -> None:
    """The same token stands everywhere in one request, a named one is another."""
    values = Values("m", {})
    one, again, other = fill(["${token}", "${token}", "${token:b}"], values)
    assert re.fullmatch(r"VERIFY-[A-Z0-9]{8}", one)
    assert one == again != other
    assert values.used == {"token": one, "token:b": other}


def test_filler_has_the_size_asked_for() -> None:
    """`${filler:N}` is N bytes."""
    assert len(fill("${filler:1000}", Values("m", {}))) == 1000


def test_a_literal_brace_can_be_written() -> None:
    """`$${` is no reference."""
    assert fill("$${model}", Values("m", {})) == "${model}"
    assert list(references({"a": ["$${x}", "${y} ${z.w}"]})) == ["y", "z.w"]


def test_merge_patch_follows_rfc_7396() -> None:
    """Null removes, objects merge, everything else replaces."""
    target = {"a": 1, "b": {"c": 2, "d": 3}, "e": [1]}
    assert merge(target, {"a": None, "b": {"c": 4}, "e": [2], "f": {"g": None}}) == {
        "b": {"c": 4, "d": 3},
        "e": [2],
        "f": {},
    }

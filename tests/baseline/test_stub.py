from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from report.parts import judgement, record

from metaio_verify.baseline.model import Baseline
from metaio_verify.baseline.read import parse_baseline, read
from metaio_verify.baseline.stub import Addition, added, additions, update
from metaio_verify.errors import UserError
from metaio_verify.verdict import Level, Verdict

DAY = dt.date(2027, 2, 23)
NEW = Addition("auth.bearer", None, Level.MUST, "The key works as Authorization Bearer")
FAIL = Verdict.FAIL


def accepted(text: str) -> str:
    """Return a stub with its reasons given."""
    return text.replace("CHANGE ME", "ticket 12")


def test_a_new_file_explains_itself() -> None:
    """Its stub is refused until every reason is changed."""
    text = added("", [NEW], DAY, "b.yaml")
    with pytest.raises(UserError, match="CHANGE ME"):
        parse_baseline(text, "b.yaml")
    [waiver] = parse_baseline(accepted(text), "b.yaml").waivers
    assert (waiver.check, waiver.expires) == ("auth.bearer", DAY)
    assert "# must: The key works as Authorization Bearer" in text


OTHER = "check: messages.shape, reason: ticket 7, expires: 2027-01-01"
TEXTS = {
    "block": "waivers:\n  - check: messages.shape\n    reason: ticket 7\n    expires: 2027-01-01\n",
    "no line end": "waivers:\n- check: messages.shape\n  reason: x1\n  expires: 2027-01-01",
    "comments": "# ours\nwaivers: # list\n    # first\n    - reason: 'a: b'   # why\n"
    "      check: messages.shape\n      expires: 2027-01-01\n# the end\n",
    "folded": "waivers:\n  - check: messages.shape\n    expires: 2027-01-01\n    reason: >\n"
    "      two\n      lines\n\n",
    "flow items": f"waivers:\n  - {{{OTHER}}}\n",
    "Windows": "waivers:\r\n  - check: messages.shape\r\n    reason: x1\r\n"
    "    expires: 2027-01-01\r\n",
    "empty list": "# none yet\nwaivers: []  # keep\n",
    "nothing": "# to be filled\n",
    "null": "waivers:\n",
}


@pytest.mark.parametrize("text", [t for n, t in TEXTS.items() if n != "null"])
def test_what_stands_there_stays_as_it_is(text: str) -> None:
    """Comments, order, quotes and line ends: the new entry comes behind everything else."""
    changed = added(text, [NEW], DAY, "b.yaml")
    kept = text.replace("waivers: []", "waivers:") if "[]" in text else text
    assert changed.startswith(kept.rstrip("\r\n"))
    before = parse_baseline(text, "b.yaml").waivers
    after = parse_baseline(accepted(changed), "b.yaml").waivers
    assert [one.key for one in after] == [*(one.key for one in before), ("auth.bearer", None)]
    assert ("\r\n" in text) == ("\r\n" in changed)


@pytest.mark.parametrize(
    "text",
    [f"waivers: [{{{OTHER}}}]\n", f"{{waivers: [{{{OTHER}}}]}}\n", TEXTS["block"] + "...\n"],
)
def test_a_form_that_cannot_be_added_to_is_refused(text: str) -> None:
    """The error holds what is to be added by hand."""
    with pytest.raises(UserError, match=r"- check: auth\.bearer"):
        added(text, [NEW], DAY, "b.yaml")


@settings(max_examples=50, deadline=None)
@given(model=st.text(min_size=1, max_size=30))
@example(model="0\t0")
def test_any_model_name_is_written_so_that_it_is_read(model: str) -> None:
    """Names that YAML would take for something else are quoted; others are refused, not torn."""
    one = Addition("auth.bearer", model, Level.MUST, "A title")
    try:
        text = added("", [one], DAY, "b.yaml")
    except UserError:
        return
    assert yaml.safe_load(text)["waivers"][0]["model"] == model


@pytest.mark.parametrize(
    "model",
    [
        "gpt-5.4",
        "claude-sonnet-5-5[1m]",
        "1e3",
        "null",
        "a: b",
        "12",
        "x #y",
        "1: b",
        "2 #y",
    ],
)
def test_usual_and_odd_model_names_are_kept(model: str) -> None:
    """Also those that look like numbers, comments or mappings."""
    one = Addition("auth.bearer", model, Level.MUST, "A title")
    [waiver] = parse_baseline(accepted(added("", [one], DAY, "b.yaml")), "b.yaml").waivers
    assert waiver.model == model


def test_only_failures_without_a_waiver_are_added() -> None:
    """Warnings count under --strict; what passes, is open or is waived does not."""
    judged = [
        judgement("auth.bearer", FAIL),
        judgement("auth.x-api-key", FAIL),
        judgement("headers.request-id", Verdict.WARN),
        judgement("models.served", Verdict.BLOCKED),
    ]
    known = parse_baseline(
        "waivers: [{check: auth.x-api-key, reason: x1, expires: 2020-01-01}]", "b.yaml"
    )
    assert [one.check for one in additions(record(judged), known)] == ["auth.bearer"]
    strict = additions(record(judged, strict=True), known)
    assert [one.check for one in strict] == ["auth.bearer", "headers.request-id"]


def test_a_check_that_fails_with_every_model_is_waived_as_such() -> None:
    """Otherwise each failing model is named."""
    models = ["a", "b"]
    every = [judgement("messages.shape", FAIL, model=model) for model in models]
    nothing = Baseline("b.yaml")
    assert [one.model for one in additions(record(every, models=models), nothing)] == [None]
    one_of_two = additions(record(every[:1], models=models), nothing)
    assert [one.model for one in one_of_two] == ["a"]


def test_the_file_is_replaced_at_once_and_keeps_its_mode(tmp_path: Path) -> None:
    """Nothing is left beside it; a link is written through."""
    path, link = tmp_path / "b.yaml", tmp_path / "link.yaml"
    path.write_text(TEXTS["block"], encoding="utf-8")
    path.chmod(0o640)
    link.symlink_to(path)
    update(link, [NEW], DAY - dt.timedelta(90))
    assert sorted(one.name for one in tmp_path.iterdir()) == ["b.yaml", "link.yaml"]
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    path.write_text(accepted(path.read_text(encoding="utf-8")), encoding="utf-8")
    assert [one.check for one in read(path).waivers] == ["messages.shape", "auth.bearer"]


def test_a_byte_order_mark_is_kept(tmp_path: Path) -> None:
    """As an editor of Windows writes it."""
    path = tmp_path / "b.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + TEXTS["block"].encode())
    update(path, [NEW], DAY)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf" + TEXTS["block"].encode())


def test_what_was_added_meanwhile_is_not_added_twice(tmp_path: Path) -> None:
    """Two targets of one command may share a baseline, and its stub has no reasons yet."""
    path, other = tmp_path / "b.yaml", Addition("messages.shape", "a", Level.MUST, "A title")
    assert update(path, [NEW], DAY) == [NEW]
    assert update(path, [NEW, other], DAY) == [other]
    assert update(path, [NEW, other], DAY) == []
    waivers = parse_baseline(accepted(path.read_text(encoding="utf-8")), "b.yaml").waivers
    assert [one.key for one in waivers] == [("auth.bearer", None), ("messages.shape", "a")]

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace
from suite.packs import PACK, changed, mistakes, write

from metaio_verify.suite.load import builtin, builtin_folder, load
from metaio_verify.suite.model import Auth, Suite
from metaio_verify.verdict import Level


def parts(suite: Suite) -> Suite:
    """Return what a suite says, wherever it stands."""
    return replace(suite, places={})


def test_a_right_file_becomes_a_typed_suite(tmp_path: Path) -> None:
    """Each part knows its id; what is not written has its default."""
    suite = load([write(tmp_path, PACK)])
    check, probe = suite.checks["own.answer"], suite.probes["ask"]
    assert (check.id, check.level, check.probes) == ("own.answer", Level.MUST, ("ask",))
    assert check.requirements == ("OWN-01",)
    assert (probe.id, probe.method, probe.path) == ("ask", "POST", "/v1/messages")
    assert (probe.auth, probe.times, probe.json["ask"]) == (Auth.DEFAULT, 1, "${token}")
    assert suite.areas == {"own": "Own"}


def test_plain_scalars_mean_what_they_mean_in_yaml_1_2(tmp_path: Path) -> None:
    """`on` is a key, a date and `yes` are text, a leading zero is no octal number."""
    body = "{a: yes, b: 2023-06-01, c: 010, d: 1e3, e: ~, f: TRUE, g: 12:30, h: .5}"
    probe = f"purpose: A question.\n    version: 2023-06-01\n    json: {body}"
    text = changed('    json: {model: "${model}", ask: "${token}"}\n', "")
    suite = load([write(tmp_path, changed("purpose: A question.", probe, text))])
    assert suite.probes["ask"].version == "2023-06-01"
    assert suite.probes["ask"].json == {
        "a": "yes",
        "b": "2023-06-01",
        "c": 10,
        "d": 1000.0,
        "e": None,
        "f": True,
        "g": "12:30",
        "h": 0.5,
    }


def test_anchors_and_merges_share_what_repeats(tmp_path: Path) -> None:
    """What stands in the mapping itself wins over what is merged into it."""
    text = "shared: {base: &base {model: m, max_tokens: 1}, more: &more {model: n, x: 2}}\n" + PACK
    text = changed("    get: /v1/messages/${ask.id}\n", "    post: /v1\n    json: 1\n", text)
    text = changed("json: 1", "json: {<<: [*base, *more], max_tokens: 16}", text)
    suite = load([write(tmp_path, text)])
    assert suite.probes["again"].json == {"model": "m", "x": 2, "max_tokens": 16}


def test_a_mistake_below_an_alias_stands_where_it_is_written(tmp_path: Path) -> None:
    """The place is that of the anchor, the name that of the use."""
    text = "shared:\n  ok: &ok\n    stauts: 200\n" + changed("{status: 200}", "*ok")
    (told,) = mistakes(write(tmp_path, text))
    assert told.startswith("pack.yaml:3:5: `expect` of check `own.answer`: unknown key `stauts`\n")


@pytest.mark.parametrize("text", ["\ufeff" + PACK, PACK.replace("\n", "\r\n"), PACK + "# end"])
def test_the_habits_of_editors_are_no_mistake(text: str, tmp_path: Path) -> None:
    """A byte order mark, CR LF, no line end at the end."""
    read = parts(load([write(tmp_path, text)]))
    assert read == parts(load([write(tmp_path, PACK, "plain.yaml")]))


def test_each_check_knows_its_line(tmp_path: Path) -> None:
    """What the program itself brings is in no file of the user's."""
    path = write(tmp_path, PACK)
    place = load([path], builtin()).places["own.answer"]
    assert PACK.splitlines()[(place.line or 0) - 1] == "  own.answer:"
    assert place.path == str(path)
    assert len(load([path], builtin()).places) == PACK.count("contract:")


def test_a_folder_stands_for_its_check_files(tmp_path: Path) -> None:
    """Those of its direct folders too, by name, each once; other files are no concern."""
    (tmp_path / "area").mkdir()
    write(tmp_path / "area", PACK, "a.yaml")
    write(tmp_path, "probes:\n  other: {purpose: Another., get: /v1/other}\n", "b.yml")
    write(tmp_path, "not: [yaml", "notes.txt")
    suite = load([tmp_path, tmp_path / "b.yml"])
    assert list(suite.probes) == ["ask", "again", "other"]


def test_files_can_refer_to_each_other_and_to_their_base(tmp_path: Path) -> None:
    """A pack uses the probes, schemas and capabilities of the built-in suite."""
    text = changed("on: ask", "on: [ask, hello]").replace("    needs: [ask]", "    needs: [other]")
    other = "probes:\n  other: {purpose: Another., get: /v1/other, needs: [models-list]}\n"
    paths = [write(tmp_path, text), write(tmp_path, other, "other.yaml")]
    suite = load(paths, builtin())
    assert suite.checks["own.answer"].probes == ("ask", "hello")
    assert list(suite.checks)[:-1] == list(builtin().checks)
    assert "other" not in builtin().probes


def test_nothing_is_replaced_silently(tmp_path: Path) -> None:
    """A second file with the same ids is a mistake for each of them."""
    first, second = write(tmp_path, PACK, "a.yaml"), write(tmp_path, PACK, "b.yaml")
    hint = "\n  Nothing is replaced silently: choose another id."
    assert mistakes(first, second) == [
        f"b.yaml:2:3: probe `ask`: stands already in {first}{hint}".replace(f"{tmp_path}/", ""),
        f"b.yaml:7:3: probe `again`: stands already in a.yaml{hint}",
        f"b.yaml:12:3: check `own.answer`: stands already in a.yaml{hint}",
        f"b.yaml:23:3: schema `answer`: stands already in a.yaml{hint}",
    ]


def test_a_pack_cannot_replace_a_built_in_check(tmp_path: Path) -> None:
    """Otherwise a green run would mean something else."""
    path = write(tmp_path, changed("own.answer", "auth.bearer"))
    with pytest.raises(Exception, match=r"check `auth\.bearer`: stands already in the built-in"):
        load([path], builtin())


def test_an_area_has_one_heading(tmp_path: Path) -> None:
    """Two files that call it differently are a mistake."""
    checks = PACK[PACK.index("checks:") : PACK.index("schemas:")]
    other = "area: Ours\n" + checks.replace("own.answer", "own.other")
    told = mistakes(write(tmp_path, PACK, "a.yaml"), write(tmp_path, other, "b.yaml"))
    assert told == ["b.yaml:1:1: `area`: `own` is already called `Own`"]


def test_the_built_in_suite_is_right() -> None:
    """The fast way and the careful way read the same, and the careful way finds no mistake."""
    assert parts(load([builtin_folder()])) == builtin()

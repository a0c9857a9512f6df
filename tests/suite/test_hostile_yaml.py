from __future__ import annotations

import os
import string
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import fields
from suite.packs import PACK, changed, mistakes, write

from metaio_verify.suite.model import Alternative, Check, Probe

_EMPTY = "pack.yaml: the file is empty\n  A check file holds `probes:` and `checks:`."
_TAG_HINT = "  A check file is plain data. Quote a value that has to be text."
_ANCHOR_HINT = "  An anchor is set with `&` above its use and cannot hold itself."
_ALIAS_BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 9)}]\n" for n in range(9)
)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param("", _EMPTY, id="empty"),
        pytest.param("# nothing\n", _EMPTY, id="comment"),
        pytest.param(
            "- a\n- b\n", "pack.yaml:1:1: the file: must be a mapping, not a list", id="list"
        ),
        pytest.param(
            "shared: !!python/object/apply:os.system [id]\n",
            "pack.yaml:1:9: YAML tags are not allowed: `!!python/object/apply:os.system`\n"
            + _TAG_HINT,
            id="python-tag",
        ),
        pytest.param(
            "shared: !env HOME\n",
            "pack.yaml:1:9: YAML tags are not allowed: `!env`\n" + _TAG_HINT,
            id="own-tag",
        ),
        pytest.param(
            "shared: 1\n---\nshared: 2\n",
            "pack.yaml:2:1: a check file is one YAML document",
            id="two-documents",
        ),
        pytest.param(
            "shared: {1: a}\n",
            "pack.yaml:1:10: a key must be text: `1`\n  Put it in quotes.",
            id="number-as-key",
        ),
        pytest.param(
            "? [a]\n: b\n",
            "pack.yaml:1:3: a key must be text, not a list or a mapping",
            id="list-as-key",
        ),
        pytest.param(
            "shared: &a [*a]\n",
            "pack.yaml:1:13: unknown anchor `*a`\n" + _ANCHOR_HINT,
            id="self-alias",
        ),
        pytest.param(
            "shared: *a\n",
            "pack.yaml:1:9: unknown anchor `*a`\n" + _ANCHOR_HINT,
            id="unknown-alias",
        ),
        pytest.param(
            "shared: {<<: a}\n",
            "pack.yaml:1:10: `<<` takes a mapping or a list of mappings",
            id="merge-of-text",
        ),
        pytest.param(
            "shared: 12345678901234567890\n",
            "pack.yaml:1:9: the number is too large for JSON\n  Quote it.",
            id="number",
        ),
        pytest.param(
            "shared: 1" + "0" * 9000 + "\n",
            "pack.yaml:1:9: the number is too large for JSON\n  Quote it.",
            id="long-number",
        ),
        pytest.param(
            "shared: " + "[" * 100_000,
            "pack.yaml:1:72: nested deeper than 64 levels",
            id="brackets",
        ),
        pytest.param("- " * 100_000, "pack.yaml:1:129: nested deeper than 64 levels", id="dashes"),
        pytest.param(
            "? " * 100_000,
            "pack.yaml:1:3: a key must be text, not a list or a mapping",
            id="question-marks",
        ),
        pytest.param(
            _ALIAS_BOMB,
            "pack.yaml:6:10: more than 100000 values\n  Aliases count as what they stand for.",
            id="alias-bomb",
        ),
        pytest.param(
            "shared: a\x01b\n",
            "pack.yaml:1:10: the character U+0001 is not allowed in YAML",
            id="control-character",
        ),
        pytest.param(b"area: caf\xe9\n", "pack.yaml:1:10: not UTF-8: byte 0xe9", id="latin-1"),
        pytest.param("area: a\n".encode("utf-16"), "pack.yaml:1:1: not UTF-8: byte 0xff", id="16"),
        pytest.param(b"#" * 10_000_000, "pack.yaml: longer than 1000000 bytes", id="10-MB"),
    ],
)
def test_a_file_that_is_hardly_yaml_is_one_clear_mistake(
    content: str | bytes, told: str, tmp_path: Path
) -> None:
    """Bounded work, no crash, and the place where somebody has to look."""
    assert mistakes(write(tmp_path, content)) == [told]


@pytest.mark.parametrize(
    ("text", "place", "hint"),
    [
        ("probes:\n\task: {}\n", "2:1", "YAML indents with spaces, never with tabs; "),
        ("shared: this: that\n", "1:13", "Text that holds a colon and a space has to be quoted."),
        ("probes: [\n", "2:1", ""),
        ("a: 'b\n", "2:1", ""),
    ],
)
def test_a_syntax_error_has_its_place_and_its_usual_cause(
    text: str, place: str, hint: str, tmp_path: Path
) -> None:
    """The rest is said by the YAML library, in its words."""
    (told,) = mistakes(write(tmp_path, text))
    assert told.startswith(f"pack.yaml:{place}: not valid YAML: ")
    assert told.partition("\n")[2].strip().startswith(hint)


def test_an_escaped_half_character_is_refused(tmp_path: Path) -> None:
    """It could not be sent as UTF-8."""
    (told,) = mistakes(write(tmp_path, 'shared: "\\ud800"\n'))
    assert told.startswith("pack.yaml:1:")


def test_a_deeply_nested_json_path_is_refused(tmp_path: Path) -> None:
    """The JSONPath library would run out of stack."""
    path = "$[?" + "(" * 3000 + "@.a" + ")" * 3000 + "]"
    (told,) = mistakes(write(tmp_path, changed("{status: 200}", f"{{absent: ['{path}']}}")))
    assert told.startswith("pack.yaml:18:23: `expect.absent[0]` of check `own.answer`: ")
    assert len(told) < 200


def test_what_a_mistake_quotes_cannot_steer_a_terminal(tmp_path: Path) -> None:
    """Escapes are written out and long words are cut."""
    (told,) = mistakes(write(tmp_path, 'probes: {}\n"\\e[2J' + "x" * 500 + '": 1\n'))
    assert told.startswith("pack.yaml:2:1: the file: unknown key `\\x1b[2Jxxx")
    assert told.partition("\n")[0].endswith("x…`")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("missing.yaml", "missing.yaml: cannot be read: No such file or directory"),
        ("x" * 5000 + ".yaml", "x.yaml: cannot be read: File name too long"),
        ("folder", "folder: the folder holds no .yaml file"),
        ("outside", "outside/link.yaml: leads out of its folder"),
        ("loop.yaml", "loop.yaml: cannot be read: "),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_path_that_is_no_check_file_is_a_mistake(name: str, told: str, tmp_path: Path) -> None:
    """Nothing outside a given folder is read, and nothing is waited for."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "link.yaml").symlink_to(write(tmp_path, PACK))
    (tmp_path / "loop.yaml").symlink_to(tmp_path / "loop.yaml")
    (line,) = mistakes(tmp_path / name)
    assert line.replace("x" * 5000, "x").startswith(told)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no named pipes")
def test_a_pipe_is_not_read(tmp_path: Path) -> None:
    """Reading it would wait for ever."""
    os.mkfifo(tmp_path / "pipe.yaml")
    assert mistakes(tmp_path / "pipe.yaml") == ["pipe.yaml: is not a file"]


def _loads_or_explains(path: Path) -> None:
    assert all(line.isprintable() for told in mistakes(path) for line in told.splitlines())


_quiet = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@_quiet
@given(content=st.binary(max_size=200))
def test_any_bytes_load_or_are_explained(content: bytes, tmp_path: Path) -> None:
    """Nothing but `UserError` leaves the loader."""
    _loads_or_explains(write(tmp_path, content))


@_quiet
@given(content=st.text(string.printable + "é\u2028\ufeff🙂", max_size=200))
def test_any_text_loads_or_is_explained(content: str, tmp_path: Path) -> None:
    """Nothing but `UserError` leaves the loader."""
    _loads_or_explains(write(tmp_path, content))


@_quiet
@given(
    at=st.integers(0, len(PACK)),
    cut=st.integers(0, 30),
    put=st.text(" \n\t:-{}[]&*!|>'\"$#x1", max_size=8),
)
def test_any_damage_loads_or_is_explained(at: int, cut: int, put: str, tmp_path: Path) -> None:
    """A right file with a hole in it, and something else in the hole."""
    _loads_or_explains(write(tmp_path, PACK[:at] + put + PACK[at + cut :]))


_KEYS = st.sampled_from(
    [
        *(field.encode_name for part in (Probe, Check, Alternative) for field in fields(part)),
        *("type", "pattern", "properties", "items", "$ref", "allOf", "enum"),
        *("ask", "own.answer", "$.id"),
    ]
)
_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats()
    | st.sampled_from(
        ["", "ask", "/v1", "//h", "2xx", "must", "${ask.id}", "${", "(", "$..", "message"]
    )
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)


@_quiet
@given(
    probes=st.dictionaries(st.sampled_from(["ask", "b", "B.c"]), st.dictionaries(_KEYS, _VALUES)),
    checks=st.dictionaries(st.sampled_from(["own.a", "x"]), st.dictionaries(_KEYS, _VALUES)),
    schemas=_VALUES,
)
def test_any_data_loads_or_is_explained(
    probes: dict[str, Any], checks: dict[str, Any], schemas: Any, tmp_path: Path
) -> None:
    """Right keys with any values."""
    for probe in probes.values():
        probe.setdefault("purpose", "x")
        probe.setdefault("post", "/v1")
    for check in checks.values():
        required = {"title": "x", "level": "must", "contract": "OWN-1", "source": "x", "on": "ask"}
        check.update({**required, "breaks": {}, "fix": "x", "faults": [], **check})
    data = {"probes": probes, "checks": checks, "schemas": schemas}
    _loads_or_explains(write(tmp_path, yaml.safe_dump(data)))

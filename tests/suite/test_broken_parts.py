from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from suite.packs import changed, mistakes, write

_CASES: dict[str, dict[str, str]] = yaml.safe_load(
    Path(__file__).with_name("broken.yaml").read_text(encoding="utf-8")
)


def _broken(case: dict[str, Any]) -> str:
    match case:
        case {"probe": added}:
            indented = added.replace("\n", "\n    ")
            return changed("purpose: A question.\n", f"purpose: A question.\n    {indented}\n")
        case {"check": added}:
            return changed("expect: {status: 200}\n", f"expect: {{status: 200}}\n    {added}\n")
        case {"expect": other}:
            return changed("expect: {status: 200}", f"expect: {other}")
        case _:
            return changed(case["old"], case["new"])


@pytest.mark.parametrize("name", _CASES)
def test_each_mistake_is_told_with_its_place(name: str, tmp_path: Path) -> None:
    """File, line, column, the offending key, and what would be right."""
    case = _CASES[name]
    told = "\n".join(mistakes(write(tmp_path, _broken(case)))).splitlines()
    expected = case["says"].splitlines()
    assert len(told) == len(expected), told
    for line, wanted in zip(told, expected, strict=True):
        assert line.startswith(wanted[:-1]) if wanted.endswith("…") else line == wanted


def test_all_mistakes_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    """File by file, in the order of the lines, whoever found them."""
    first = changed("status: 200", "stauts: 200", changed("needs: [ask]", "needs: [aks]"))
    first = changed(
        "post: /v1", "post: v1", changed("any-client: everything", "any-client: 7", first)
    )
    second = "shared: {a: 1, a: 2}\nchecks: {x: }\n"
    told = mistakes(write(tmp_path, first, "a.yaml"), write(tmp_path, second, "b.yaml"))
    assert [line.partition(": ")[0] for line in told] == [
        "a.yaml:4:5",
        "a.yaml:10:13",
        "a.yaml:18:14",
        "a.yaml:19:14",
        "b.yaml:1:16",
        "b.yaml:2:10",
    ]


def test_many_mistakes_are_cut(tmp_path: Path) -> None:
    """A file of nothing but mistakes gives a hundred of them and says that there are more."""
    text = "".join(f"key-{number}: x\n" for number in range(5000))
    told = mistakes(write(tmp_path, text))
    assert len(told) == 101
    assert told[-1].startswith("pack.yaml: and more")


def test_a_mistake_hides_no_other_one_of_its_part(tmp_path: Path) -> None:
    """What has a wrong or missing key is judged all the same, without mistakes that follow."""
    text = """\
probes:
  ask:
    purpose: A question.
    post: /v1/messages
    tiems: 2
    needs: [noone]
    headers: {"not a header": x}
checks:
  own.answer:
    level: must
    contract: [OWN-01, nothing]
    source: https://example.com/contract
    on: [ask, nowhere]
    expect: {stauts: 200, json: {"$.a[": 1}, text: {patern: x}}
    rule: unique-idz
    accept: [{status: 999, verdict: pass, becuase: so}]
    breaks: {any-client: everything}
    faults: [no-request-idd]
"""
    told = mistakes(write(tmp_path, text))
    assert [line.partition(": ")[0].removeprefix("pack.yaml:") for line in told] == [
        *("5:5", "6:13", "7:15"),
        *("9:3", "11:24", "13:15", "14:14", "14:34", "14:53", "15:5"),
        *("16:14", "16:15", "16:43", "18:14"),
    ]

"""What the documentation tells people to type exists."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from metaio_verify.cli.main import app
from metaio_verify.lab.faults import FAULTS
from metaio_verify.lab.gateway.faults import GATEWAY_FAULTS
from metaio_verify.lab.gateway.kind import Kind
from metaio_verify.lab.gateway.variants import GATEWAY_VARIANTS
from metaio_verify.lab.variants import VARIANTS
from metaio_verify.report import Format
from metaio_verify.suite.load import builtin

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    *sorted(ROOT.glob("docs/*.md")),
    *sorted(ROOT.glob("examples/**/*.md")),
    *sorted(ROOT.glob("examples/*.y*ml")),
]
COMMANDS: dict[str, Any] = vars(get_command(app))["commands"]
OPTIONS = ["--version", "--install-completion", "--show-completion", "--help", "-h"]

PROMPTED = re.compile(r"^\s*\$ (?:.*[/ ])?metaio-verify (.*)$", re.MULTILINE)
QUOTED = re.compile(r"`metaio-verify ([^`]+)`")
SHORT = re.compile(rf"`((?:{'|'.join(COMMANDS)}) [^`]*--[^`]+)`")
ALONE = re.compile(r"`(--[a-z][a-z-]*)[^`]*`")


def _lines() -> Iterator[tuple[str, list[str]]]:
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for pattern in (PROMPTED, QUOTED, SHORT):
            for match in pattern.finditer(text):
                words = shlex.split(" ".join(match[1].split()), comments=True)
                yield f"{document.relative_to(ROOT)}: {match[1]}", words


LINES = dict(_lines())


def _options(command: Any) -> set[str]:
    named = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
    return named | {"--help", "-h"}


def _of(words: list[str]) -> tuple[Any, list[str]]:
    """The command, or the group of them, that a line starts, and the rest of the line."""
    command: Any = get_command(app)
    while words and words[0] in (known := vars(command).get("commands", {})):
        command, words = known[words[0]], words[1:]
    return command, words


def _values(words: list[str], *names: str) -> list[str]:
    """What a line gives to an option, but for placeholders such as `NAME`."""
    pairs = pairwise([*words, ""])
    return [value for name, value in pairs if name in names and not value[:1].isupper()]


def test_the_documents_have_commands() -> None:
    """The patterns above find them."""
    assert len(LINES) > 40
    assert {_of(words)[0].name for words in LINES.values()} >= {"check", "demo", "serve", "lint"}


@pytest.mark.parametrize("line", LINES)
def test_a_documented_command_exists(line: str) -> None:
    """With each of its options, and what it names of the suite and of the lab."""
    command, words = _of(LINES[line])
    assert "commands" not in vars(command) or words[0] in OPTIONS
    given = [word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)]
    assert set(given) - _options(command) <= set(OPTIONS)
    assert set(_values(words, "--profile")) <= builtin().profiles.keys()
    of_gateways = "--gateway" in words
    kinds = {kind for value in _values(words, "--gateway") for kind in value.split("|") if kind}
    assert kinds <= set(Kind)
    faults, variants = (GATEWAY_FAULTS, GATEWAY_VARIANTS) if of_gateways else (FAULTS, VARIANTS)
    assert set(_values(words, "--fault")) <= {*faults, "list"}
    assert set(_values(words, "--variant")) <= {*variants, "list"}
    formats = {value.partition("=")[0] for value in _values(words, "--report", "--as")}
    assert formats <= set(Format)


def test_a_documented_option_exists() -> None:
    """Also one that is named in passing."""
    checks = vars(COMMANDS["checks"])["commands"]
    known = set(OPTIONS).union(*map(_options, [*COMMANDS.values(), *checks.values()]))
    unknown = {
        (document.name, option)
        for document in DOCUMENTS
        if document.is_relative_to(ROOT / "docs") or document.parent == ROOT  # others name servers'
        for option in ALONE.findall(document.read_text(encoding="utf-8"))
        if option not in known and not option.startswith("--metaio-")
    }
    assert unknown == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_a_link_leads_to_a_file(document: Path) -> None:
    """Within the repository; addresses elsewhere are not tried."""
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8")):
        path = target.partition("#")[0]
        if path and not re.match(r"[a-z]+:", path):
            assert (document.parent / path).exists(), target

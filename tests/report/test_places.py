"""The set-up for each place, with values that a server wrote."""

from __future__ import annotations

import json
import re
import subprocess

import pytest
import yaml

from metaio_verify.report.environment import Setting
from metaio_verify.report.places import Block, blocks

HOSTILE = [
    "gpt-5.4",
    'a\' "b" \\ $HOME `id` ${IFS}',
    "x\u2019; Remove-Item *; '",
    "${{ secrets.OTHER }}",
    "a\nb\x1b[2J",
    "```\n# heading",
    "{}[]: - & * ! | > % @",
]


def made(value: str) -> dict[str, Block]:
    """The blocks with this value as the model."""
    settings = [
        Setting("ANTHROPIC_BASE_URL", "https://gateway.example", "r"),
        Setting("ANTHROPIC_AUTH_TOKEN", "sk-your-token", "r"),
        Setting("ANTHROPIC_MODEL", value, "r"),
        Setting("CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY", "1", "r", needed=False),
    ]
    return {block.name: block for block in blocks(settings, ["ANTHROPIC_AUTH_TOKEN"])}


def inside(block: Block) -> str:
    """What stands between the fences, which no value may close."""
    match = re.fullmatch(r"(`{3,})\w+\n(.*)\n\1", block.code, re.DOTALL)
    assert match is not None
    assert match[1] not in match[2]
    return match[2]


def test_each_place_has_a_block() -> None:
    """In the order in which the page shows them."""
    assert list(made("m")) == ["shell", "fish", "powershell", "settings", "vscode", "github"]


@pytest.mark.parametrize("value", HOSTILE)
def test_the_shell_sets_the_very_value(value: str) -> None:
    """Run by a real shell, which runs nothing that the value holds."""
    script = f'{inside(made(value)["shell"])}\nprintf %s "$ANTHROPIC_MODEL"'
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == (shown(value), "")


@pytest.mark.parametrize("value", HOSTILE)
def test_the_settings_are_json_with_the_very_value(value: str) -> None:
    """Only what is needed, for Claude Code and for VS Code alike."""
    found = made(value)
    environment = json.loads(inside(found["settings"]))["env"]
    assert environment == {
        "ANTHROPIC_BASE_URL": "https://gateway.example",
        "ANTHROPIC_AUTH_TOKEN": "sk-your-token",
        "ANTHROPIC_MODEL": shown(value),
    }
    code = json.loads(inside(found["vscode"]))
    assert code["claudeCode.disableLoginPrompt"] is True
    listed = {one["name"]: one["value"] for one in code["claudeCode.environmentVariables"]}
    assert listed == environment


@pytest.mark.parametrize("value", HOSTILE)
def test_the_workflow_is_yaml_and_asks_for_one_secret(value: str) -> None:
    """No value becomes an expression; the token comes from the secret in both variables."""
    text = inside(made(value)["github"])
    [step] = yaml.safe_load(text)
    environment = json.loads(step["with"]["settings"])["env"]
    assert step["env"] == {"ANTHROPIC_BASE_URL": "https://gateway.example"}
    assert step["with"]["anthropic_api_key"] == "${{ secrets.GATEWAY_TOKEN }}"
    assert environment["ANTHROPIC_AUTH_TOKEN"] == "${{ secrets.GATEWAY_TOKEN }}"
    assert environment["ANTHROPIC_MODEL"].replace("${{ '${{' }}", "${{") == shown(value)
    assert set(re.findall(r"\$\{\{ ([a-z].*?) \}\}", text)) == {"secrets.GATEWAY_TOKEN"}


@pytest.mark.parametrize(
    ("value", "fish", "powershell"),
    [
        ("gpt-5.4", '"gpt-5.4"', '"gpt-5.4"'),
        ("a'b\\$(id)", "'a\\'b\\\\$(id)'", "'a''b\\$(id)'"),
        ("\u2018x\u2019", "'\u2018x\u2019'", "'\u2018\u2018x\u2019\u2019'"),
    ],
)
def test_other_shells_have_quotes_of_their_own(value: str, fish: str, powershell: str) -> None:
    """PowerShell takes typographic quotes for plain ones."""
    found = made(value)
    assert f"set -gx ANTHROPIC_MODEL {fish}\n" in found["fish"].code
    assert f"$env:ANTHROPIC_MODEL = {powershell}\n" in found["powershell"].code
    assert "# $env:CLAUDE_CODE_ENABLE" in found["powershell"].code


def shown(value: str) -> str:
    """The value with control characters written out."""
    return value.replace("\n", "\\n").replace("\x1b", "\\x1b")

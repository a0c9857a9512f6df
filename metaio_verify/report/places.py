"""The set-up of one endpoint for each place where a customer may put it.

The values are what a server may have written, such as a model id. Each place quotes them in its own
way, so that none can become a command, an entry or an expression of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from msgspec import Struct

from metaio_verify.report.environment import Setting
from metaio_verify.report.markup import fence
from metaio_verify.report.text import safe

SECRET = "GATEWAY_TOKEN"  # noqa: S105 - a name
"""What the workflow calls the secret that holds the token."""

_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./ ?&#-]*")
_POWERSHELL_QUOTES = re.compile("['\u2018-\u201b]")
"""PowerShell takes typographic quotes for the plain one."""


class Block(Struct, frozen=True):
    """What to put where."""

    name: str
    """A word for templates: `shell`, `fish`, `powershell`, `settings`, `vscode`, `github`."""
    title: str
    """Markdown."""
    remark: str
    """Markdown; where it goes and what to mind."""
    code: str
    """A fenced block."""


def blocks(settings: Sequence[Setting], tokens: Sequence[str]) -> list[Block]:
    """Return the blocks; `tokens` are the variables that hold the customer's token."""
    needed = [setting for setting in settings if setting.needed]
    return [
        Block(
            "shell",
            "bash and zsh",
            "In the shell that starts `claude`, or in `~/.bashrc` or `~/.zshrc`:",
            fence([setting.line for setting in settings], "bash"),
        ),
        Block(
            "fish",
            "fish",
            "In the shell, or in `~/.config/fish/config.fish`:",
            fence(
                [_commented(one, f"set -gx {one.name} {_fish(one.value)}") for one in settings],
                "fish",
            ),
        ),
        Block(
            "powershell",
            "PowerShell",
            "In the shell, or in the file that `$PROFILE` names:",
            fence(
                [
                    _commented(one, f"$env:{one.name} = {_powershell(one.value)}")
                    for one in settings
                ],
                "powershell",
            ),
        ),
        Block(
            "settings",
            "Claude Code settings",
            "In `~/.claude/settings.json`, instead of the shell: it wins over what a shell "
            "exports. Keep the token out of a project's `.claude/settings.json`, which is "
            "committed.",
            fence(_json({"env": {one.name: safe(one.value) for one in needed}}), "json"),
        ),
        Block(
            "vscode",
            "VS Code",
            "The extension reads `~/.claude/settings.json` too. To set it up for VS Code alone, "
            "put this into the `settings.json` of the user (*Preferences: Open User Settings "
            "(JSON)*), not into that of a workspace:",
            fence(
                _json(
                    {
                        "claudeCode.disableLoginPrompt": True,
                        "claudeCode.environmentVariables": [
                            {"name": one.name, "value": safe(one.value)} for one in needed
                        ],
                    }
                ),
                "json",
            ),
        ),
        Block(
            "github",
            "GitHub Actions",
            f"With the token as the secret `{SECRET}` of the repository:",
            fence(_workflow(needed, tokens), "yaml"),
        ),
    ]


def _commented(setting: Setting, line: str) -> str:
    return line if setting.needed else f"# {line}"


def _fish(value: str) -> str:
    shown = safe(value)
    if _PLAIN.fullmatch(shown):
        return f'"{shown}"'
    return "'" + shown.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _powershell(value: str) -> str:
    shown = safe(value)
    if _PLAIN.fullmatch(shown):
        return f'"{shown}"'
    return "'" + _POWERSHELL_QUOTES.sub(lambda match: match[0] * 2, shown) + "'"


def _json(value: object) -> list[str]:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    # One variable stands on one line.
    return re.sub(r'\{\s+("name": .*),\s+("value": .*)\s+\}', r"{\1, \2}", text).splitlines()


def _workflow(settings: Sequence[Setting], tokens: Sequence[str]) -> list[str]:
    """The step of a workflow.

    The action itself passes the address on and insists on its key input, which becomes
    `ANTHROPIC_API_KEY`; everything else reaches Claude Code by its settings.
    """
    address = next(one for one in settings if one.name == "ANTHROPIC_BASE_URL")
    rest = {
        one.name: f"${{{{ secrets.{SECRET} }}}}" if one.name in tokens else _inert(one.value)
        for one in settings
        if one.name not in ("ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY")
    }
    lines = [
        "- uses: anthropics/claude-code-action@v1",
        "  env:",
        f"    ANTHROPIC_BASE_URL: {json.dumps(_inert(address.value), ensure_ascii=False)}",
        "  with:",
        f"    anthropic_api_key: ${{{{ secrets.{SECRET} }}}}",
    ]
    if rest:
        lines.append("    settings: |")
        lines += [f"      {line}" for line in _json({"env": rest})]
    return lines


def _inert(value: str) -> str:
    """Return a value in which GitHub sees no expression."""
    return safe(value).replace("${{", "${{ '${{' }}")

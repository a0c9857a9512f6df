"""The page's troubleshooting, answered with what was measured.

First the three questions that everybody asks, then what this endpoint's own deviations look like
to a user of Claude Code.
"""

from __future__ import annotations

from typing import TypeAlias

from metaio_verify.report.facts import MODELS, doubled_path, overloads, wrong_key
from metaio_verify.report.markup import bullets, code, prose, sentence, shell_word
from metaio_verify.report.onboarding import Page
from metaio_verify.report.text import plural

Entry: TypeAlias = tuple[str, list[str]]
"""A symptom as a person would say it, and what to do; both are Markdown."""

_CLAUDE_CODE = "claude-code"


def render(page: Page) -> str:
    """Return the section."""
    entries = [
        _hits_anthropic(page),
        _authentication_fails(page),
        _list_is_empty(page),
        *_wrong_address(page),
        *_overloaded(page),
        *_deviations(page),
    ]
    parts = [f"### {title}\n\n{bullets(steps)}" for title, steps in entries]
    doctor = code(f"metaio-verify doctor --base-url {shell_word(page.base)}")
    hint = f"{doctor} finds most of this out by itself, on the machine that it is about."
    return "\n\n".join(["## Troubleshooting", hint, *parts])


def _hits_anthropic(page: Page) -> Entry:
    return "Claude Code still hits Anthropic directly", [
        (
            f"Re-check {code('ANTHROPIC_BASE_URL')}: it must be {code(page.base)} in the shell "
            f"that starts {code('claude')}. An {code('env')} entry in a Claude Code settings "
            "file wins over the shell."
        ),
        f"Re-run {code('/status')}: it shows the base URL and where the credential comes from.",
        "Restart the terminal session if needed.",
    ]


def _authentication_fails(page: Page) -> Entry:
    steps = [
        f"Make sure the value is your {prose(page.host)} token, not an Anthropic console key.",
        "Make sure the token is enabled for the target model.",
    ]
    if page.is_open:
        steps = ["This endpoint took requests without a token; look for a proxy in front of it."]
    elif page.variable and page.other_variable and not page.other_works:
        steps.append(
            f"Put the token into {code(page.variable)}; {code(page.other_variable)} is refused."
        )
    status = wrong_key(page.record)
    if status == 401:
        steps.append("A wrong token is answered 401 here; Claude Code shows “Invalid API key”.")
    elif status is not None and not page.is_open:
        steps.append(
            f"A wrong token is answered {status} here, so the error may name another cause."
        )
    steps.append(
        f"If {code('ANTHROPIC_API_KEY')} and {code('ANTHROPIC_AUTH_TOKEN')} are both set, Claude "
        "Code sends both: unset the one that does not hold this token."
    )
    return "Authentication fails", steps


def _list_is_empty(page: Page) -> Entry:
    found = page.discovery
    steps = ["Verify the token can access at least one Claude-compatible model mapping."]
    if found.is_served:
        steps.append(
            f"In this run {code(MODELS)} listed {plural(len(found.listed), 'model')}; Claude "
            f"Code's picker keeps {len(found.picked)} of them, those with {code('claude')} or "
            f"{code('anthropic')} in the id."
        )
    elif found.status is not None:
        steps.append(
            f"{code(MODELS)} is not served here (answered {found.status}), so Claude Code shows "
            "its built-in list."
        )
    if found.picked:
        steps.append(
            "The picker asks for the list only with "
            f"{code('CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY=1')}."
        )
    if page.needs_model and page.model is not None:
        steps.append(f"Name the model: {code(f'ANTHROPIC_MODEL={page.model}')}.")
    return "Model list is empty", steps


def _wrong_address(page: Page) -> list[Entry]:
    status = doubled_path(page.record)
    if status is None or status < 400:
        return []
    return [
        (
            f"Every request is answered {status}",
            [
                (
                    f"Take {code('/v1')} off the end of {code('ANTHROPIC_BASE_URL')}: clients "
                    f"append {code('/v1/messages')} themselves."
                )
            ],
        )
    ]


def _overloaded(page: Page) -> list[Entry]:
    if not overloads(page.record):
        return []
    steps = ["Wait: Claude Code tries again by itself, and honours the server's retry-after."]
    return [("Requests are answered 429 or 529", steps)]


def _deviations(page: Page) -> list[Entry]:
    """What users of Claude Code see of this endpoint's deviations; the same symptom once."""
    entries: dict[str, list[str]] = {}
    for one in page.deviations:
        effect = next((e for n, e in one.info.breaks.items() if n.startswith(_CLAUDE_CODE)), "")
        if not effect or one.is_tolerated:
            continue
        steps = entries.setdefault(sentence(effect[:1].upper() + effect[1:]), [])
        steps.append(f"Cause: this endpoint violates “{sentence(one.info.title)}”.")
        workaround = sentence(one.info.workaround)
        steps.append(workaround or "Only the operator of the endpoint can mend this.")
    return list(entries.items())

"""The page's advice to the operator, from what the run showed."""

from __future__ import annotations

from metaio_verify.report.facts import overloads, picker_keeps
from metaio_verify.report.markup import bullets, code
from metaio_verify.report.onboarding import Page
from metaio_verify.report.text import listed, plural

_SHOWN = 3


def operational_advice(page: Page) -> str:
    """Return the section."""
    items = [*_models(page), *_credential(page), *_load(page)]
    items.append(
        "Keep your customer instructions explicit: Claude-style client → Anthropic-compatible "
        f"path ({code(page.base)})."
    )
    items.append(
        "Run the check again after every change of the gateway, a model mapping or a token group, "
        "and before each release."
    )
    return f"## Operational advice\n\n{bullets(items)}"


def _models(page: Page) -> list[str]:
    if not page.verified:
        return ["Publish no model yet: none is verified."]
    names = [code(model) for model in page.verified[:_SHOWN]]
    are = "is a validated example" if len(names) == 1 else "are validated examples"
    items = [
        (
            "Publish at least one verified model in customer onboarding docs. "
            f"Right now, {listed(names)} {are}."
        )
    ]
    hidden = [code(model) for model in page.verified if not picker_keeps(model)][:_SHOWN]
    if hidden:
        items.append(
            f"Claude Code's picker does not show {listed(hidden, 'or')}, because it keeps only "
            f"ids that contain {code('claude')} or {code('anthropic')}: give "
            f"{code('ANTHROPIC_MODEL')} in your instructions, or such an alias."
        )
    return items


def _credential(page: Page) -> list[str]:
    if page.is_open:
        return ["The endpoint answers without a token: keep it off public networks."]
    if page.variable and page.other_variable and not page.other_works:
        return [
            (
                f"Name {code(page.variable)} in your instructions: {code(page.other_variable)} is "
                "refused, which is what newer SDKs or an apiKeyHelper may send."
            )
        ]
    return []


def _load(page: Page) -> list[str]:
    refused = overloads(page.record)
    if not refused:
        return []
    return [
        (
            f"{refused} of {plural(page.record.cost.requests, 'request')} met a load limit. "
            "One Claude Code session sends several requests at a time; check the limits of a token."
        )
    ]

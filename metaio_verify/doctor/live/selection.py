"""Models: one that is refused, a list that is empty, names that nobody serves."""

from __future__ import annotations

import json
from collections.abc import Sequence

from metaio_verify.doctor.finding import Finding, Fix, Severity, pasted
from metaio_verify.doctor.live.bench import Bench, Step, found
from metaio_verify.doctor.live.outcome import (
    Outcome,
    classify,
    is_denied,
    model_ids,
    said,
    status_of,
)
from metaio_verify.doctor.models import Model, further_models
from metaio_verify.doctor.names import DEFAULTS_OF, DISCOVERY, HAIKU_MODEL, NO_EXTRA_TRAFFIC, is_on
from metaio_verify.doctor.remedy import RESTART, set_variable
from metaio_verify.doctor.settings import Scope
from metaio_verify.doctor.shells import Set
from metaio_verify.record import Exchange
from metaio_verify.report.text import listed as in_words
from metaio_verify.report.text import safe

_TRIED = 3
"""Listed models that are tried in place of a refused one."""
_FURTHER = 5
_SHOWN = 6
_SAID = 200
_PICKED = ("claude", "anthropic")
"""What an id has to contain for Claude Code's picker to show it."""


async def refused(bench: Bench, exchange: Exchange) -> Step:
    """The endpoint takes the credential, but not the model."""
    ids = model_ids(await bench.asker.models(bench.setup))
    if ids == []:
        return Step([list_empty(bench, Severity.PROBLEM), _refused(bench, exchange, None, ids)])
    for id_ in _likely(ids or [], bench.setup.model)[:_TRIED]:
        instead = bench.setup.asking(id_)
        if classify(await bench.asker.message(instead)) is Outcome.MESSAGE:
            return Step([_refused(bench, exchange, id_, ids)], instead)
    return Step([_refused(bench, exchange, None, ids)])


def _likely(ids: Sequence[str], refused_: str) -> list[str]:
    """The other models, those of the same family first."""
    family = next((part for part in refused_.split("-") if part in _FAMILIES), "")
    others = [id_ for id_ in ids if id_ != refused_]
    return sorted(others, key=lambda id_: (bool(family) and family not in id_, "claude" not in id_))


_FAMILIES = ("opus", "sonnet", "haiku", "fable")


def _refused(
    bench: Bench, exchange: Exchange, instead: str | None, ids: Sequence[str] | None
) -> Finding:
    model = bench.model
    base = bench.setup.base
    if model.is_default:
        id_, title = "default-model-unknown", f"{base} does not serve {model.id}"
        reason = (
            "You name no model, so Claude Code asks for the default of its version "
            f"(here that of {DEFAULTS_OF})."
        )
    elif is_denied(exchange):
        id_, title = "model-denied", f"Your token may not use {model.id}"
        reason = ""
    else:
        id_, title = "model-unknown", f"{base} does not know the model {model.id}"
        reason = ""
    action, fix = _choose(bench, model, instead)
    return found(
        id_,
        title,
        action,
        detail=" ".join(filter(None, [reason, _answer(exchange), _listed(ids)])),
        origins=[] if model.is_default else [model.origin],
        fix=fix,
    )


def _choose(bench: Bench, model: Model, instead: str | None) -> tuple[str, Fix]:
    if instead is None:
        return (
            "Ask the operator which model your token may use, and have it enabled for the token.",
            Fix(),
        )
    origin = model.origin
    if origin.scope is Scope.COMMAND_LINE and not origin.path:
        return f"{instead} answers: start claude with --model {instead}.", Fix()
    if origin.key == "model" and origin.scope is not Scope.MANAGED:
        place = origin.path if origin.line is None else f"{origin.path}, line {origin.line}"
        fix = Fix(file=place, json=f'"model": {json.dumps(instead)}')
        return f"{instead} answers: write it in {place}.", fix
    action, fix = set_variable(bench.configuration, model.variable, instead)
    return f"{instead} answers. {action}", fix


def list_empty(bench: Bench, severity: Severity) -> Finding:
    """The list of models has no entries."""
    return found(
        "model-list-empty",
        "The endpoint lists no model for your token",
        "Ask the operator to give the token access to at least one model that Claude Code can use.",
        detail=f"GET {bench.setup.base}/v1/models is answered with an empty list.",
        severity=severity,
    )


async def around(bench: Bench, *, answered: bool) -> list[Finding]:
    """Look at the models beside the main one, once the endpoint takes the credential."""
    listing = await bench.asker.models(bench.setup)
    ids = model_ids(listing)
    findings = []
    if ids == []:
        findings.append(list_empty(bench, Severity.WARNING if answered else Severity.PROBLEM))
    findings += _discovery(bench, listing, ids)
    tried = {bench.setup.model, bench.model.id}
    for model in further_models(bench.configuration)[:_FURTHER]:
        if model.id in tried:
            continue
        tried.add(model.id)
        exchange = await bench.asker.message(bench.setup.asking(model.id), max_tokens=1)
        if classify(exchange) is Outcome.MODEL:
            findings.append(_further(bench, model, exchange))
    return findings


def _further(bench: Bench, model: Model, exchange: Exchange) -> Finding:
    known = bench.setup.model
    action, fix = set_variable(bench.configuration, model.variable, known)
    if model.is_default:
        # The variable's present name, not the deprecated one.
        action, fix = f"Set {HAIKU_MODEL} to {known}. {RESTART}", pasted(Set(HAIKU_MODEL, known))
    background = model.use == "background"
    fails = (
        "Your token may not use" if is_denied(exchange) else f"{bench.setup.base} does not serve"
    )
    return found(
        "background-model-unknown" if background else "further-model-unknown",
        f"{fails} {model.id}, Claude Code's model for {_use(model)}",
        f"{known} answers. {action}",
        detail=_answer(exchange),
        origins=[] if model.is_default else [model.origin],
        fix=fix,
        severity=Severity.WARNING,
    )


def _use(model: Model) -> str:
    known = {"background": "small tasks in the background", "sub-agent": "sub-agents"}
    return known.get(model.use, f"the {model.use}")


def _discovery(bench: Bench, listing: Exchange, ids: Sequence[str] | None) -> list[Finding]:
    configuration = bench.configuration
    asked = configuration.value(DISCOVERY)
    if asked is None or not is_on(asked.text) or configuration.value(NO_EXTRA_TRAFFIC):
        return []
    if ids is None:
        finding = found(
            "discovery-fails",
            f"{DISCOVERY} is on, and the endpoint has no list of models",
            "Name the models in ANTHROPIC_MODEL and ANTHROPIC_DEFAULT_*_MODEL instead.",
            detail=f"GET /v1/models?limit=1000 is answered {status_of(listing) or 'not at all'}.",
            origins=[asked.origin],
            severity=Severity.WARNING,
        )
        return [finding]
    if ids and not any(word in id_.lower() for id_ in ids for word in _PICKED):
        finding = found(
            "discovery-hides-models",
            "/model shows none of the models that the endpoint lists",
            "Name the models in ANTHROPIC_MODEL and ANTHROPIC_DEFAULT_*_MODEL.",
            detail="Claude Code's picker takes ids that contain claude or anthropic. "
            + _listed(ids),
            origins=[asked.origin],
            severity=Severity.WARNING,
        )
        return [finding]
    return []


def _answer(exchange: Exchange) -> str:
    text = safe(said(exchange), _SAID)
    return f"The endpoint answers {status_of(exchange)}" + (f": “{text}”." if text else ".")


def _listed(ids: Sequence[str] | None) -> str:
    if not ids:
        return ""
    shown = [safe(id_, 60) for id_ in ids[:_SHOWN]]
    more = len(ids) - len(shown)
    return f"It lists {in_words([*shown, *([f'{more} more'] if more > 0 else [])])}."

"""The effective values that a report shows: each with where it comes from and what it hides."""

from __future__ import annotations

from collections.abc import Iterator

from metaio_verify.doctor.case import Case
from metaio_verify.doctor.configuration import Origin, Value
from metaio_verify.doctor.models import Model, further_models, main_model
from metaio_verify.doctor.names import DEFAULTS_OF, HELPER, VARIABLES
from metaio_verify.doctor.report import Fact
from metaio_verify.doctor.secrets import mask, shown
from metaio_verify.doctor.settings import Scope


def facts(case: Case) -> list[Fact]:
    """Return what counts, the most important first."""
    return [*_variables(case), *_helper(case), *_models(case)]


def _variables(case: Case) -> Iterator[Fact]:
    configuration = case.configuration
    for name in VARIABLES:
        value = configuration.variables.get(name)
        if value is None or name.endswith("_MODEL"):
            continue
        yield Fact(
            name=name,
            value=shown(name, value.text),
            origin=_from(value.origin),
            hides=[_hidden(value, one) for one in value.hides],
        )


def _hidden(value: Value, one: Value) -> str:
    same = "the same value" if one.text == value.text else shown(one.name, one.text)
    return f"{same} {_from(one.origin)}"


def _helper(case: Case) -> Iterator[Fact]:
    value = case.configuration.helper
    if value is None:
        return
    if case.helped is None:
        came = "not run"
    else:
        came = case.helped.defect or f"gives {mask(case.helped.key)}"
    yield Fact(name=HELPER, value=came, origin=_from(value.origin))


def _models(case: Case) -> Iterator[Fact]:
    configuration = case.configuration
    for model in (main_model(configuration), *further_models(configuration)):
        yield Fact(name=f"{model.use} model", value=model.id, origin=_chosen(model))


def _chosen(model: Model) -> str:
    if model.is_default:
        return f"the default of Claude Code {DEFAULTS_OF}"
    return _from(model.origin)


def _from(origin: Origin) -> str:
    if origin.scope is Scope.SHELL:
        return "from the environment"
    return f"from {origin.path or origin.key}" + (f":{origin.line}" if origin.line else "")

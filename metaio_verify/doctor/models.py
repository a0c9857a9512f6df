"""Which models Claude Code would ask for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from metaio_verify.doctor.configuration import Configuration, Origin
from metaio_verify.doctor.names import (
    ALIASES,
    DEFAULT_ALIAS,
    DEFAULT_MODEL,
    HAIKU_MODEL,
    MODEL,
    SMALL_FAST_MODEL,
    SUBAGENT_MODEL,
)
from metaio_verify.doctor.settings import Scope

_LONG_CONTEXT = re.compile(r"\[1m\]$", re.IGNORECASE)
_COMPOUND = {"opusplan": "sonnet", "best": "fable", "default": DEFAULT_ALIAS}
_NO_START_MODELS = ("default", "inherit", "opusplan", "haiku")
"""What `ANTHROPIC_DEFAULT_MODEL` may not say."""


@dataclass(frozen=True)
class Model:
    """A model that Claude Code would ask for."""

    id: str
    use: str
    """What it is asked for: `main`, `background` …"""
    origin: Origin
    variable: str
    """The variable that would set it."""
    alias: str = ""
    """The alias that stands for it, if one was given."""

    @property
    def is_default(self) -> bool:
        """Whether nobody chose it."""
        return self.origin.scope is Scope.DEFAULT


def main_model(configuration: Configuration) -> Model:
    """Return the model that a session starts on."""
    start = configuration.text(DEFAULT_MODEL)
    setting = configuration.settings.get("model")
    if configuration.model:
        origin = Origin(Scope.COMMAND_LINE, key="--model")
        return _resolved(configuration, configuration.model, origin, MODEL)
    if (value := configuration.value(MODEL)) and _plain(value.text):
        return _resolved(configuration, value.text, value.origin, MODEL)
    if setting is not None and _plain(setting.text):
        return _resolved(configuration, setting.text, setting.origin, MODEL)
    if start and start not in _NO_START_MODELS and (value := configuration.value(DEFAULT_MODEL)):
        return _resolved(configuration, start, value.origin, MODEL)
    return _resolved(configuration, DEFAULT_ALIAS, Origin(Scope.DEFAULT), MODEL, alias="")


def further_models(configuration: Configuration) -> list[Model]:
    """Return the models beside the main one: for the background, for sub-agents, of aliases."""
    found = [_background(configuration)]
    if (value := configuration.value(SUBAGENT_MODEL)) and value.text != "inherit":
        found.append(
            _resolved(configuration, value.text, value.origin, SUBAGENT_MODEL, use="sub-agent")
        )
    for alias, (variable, _) in ALIASES.items():
        if variable != HAIKU_MODEL and (pinned := configuration.value(variable)):
            id_ = _plain(pinned.text)
            found.append(Model(id_, f"{alias} alias", pinned.origin, variable, alias))
    return found


def allowed(configuration: Configuration, model: Model) -> bool:
    """Whether `availableModels` lets this model through; what nobody chose always passes."""
    entries = configuration.setting("availableModels")
    if not isinstance(entries, list) or model.is_default:
        return True
    named = [entry for entry in entries if isinstance(entry, str)]
    return any(_matches(entry.lower(), model, named) for entry in named)


def _matches(entry: str, model: Model, entries: Sequence[str]) -> bool:
    id_ = model.id.lower()
    if entry in (id_, model.alias.lower()) or id_.startswith(f"{entry}-"):
        return True
    if entry not in ALIASES:
        return False
    # An entry for one version of a family stands for the whole family's entry.
    specific = any(entry in other.lower() and other.lower() != entry for other in entries)
    return entry in id_ and not specific


def _background(configuration: Configuration) -> Model:
    value = configuration.value(HAIKU_MODEL, SMALL_FAST_MODEL)
    if value is None:
        return Model(ALIASES["haiku"][1], "background", Origin(Scope.DEFAULT), HAIKU_MODEL)
    return Model(_plain(value.text), "background", value.origin, value.name)


def _resolved(
    configuration: Configuration,
    text: str,
    origin: Origin,
    variable: str,
    *,
    use: str = "main",
    alias: str | None = None,
) -> Model:
    name = _plain(text)
    family = _COMPOUND.get(name.lower(), name.lower())
    if family not in ALIASES:
        return Model(name, use, origin, variable)
    pin, default = ALIASES[family]
    pinned = configuration.value(pin)
    shown = name if alias is None else alias
    if pinned is None:
        return Model(default, use, origin, variable, shown)
    # What the alias stands for was chosen, so that is what has to change.
    return Model(_plain(pinned.text), use, pinned.origin, pin, shown)


def _plain(text: str) -> str:
    return _LONG_CONTEXT.sub("", text.strip())

"""How to mend a value: at the place that it comes from, since a change elsewhere has no effect."""

from __future__ import annotations

import json

from metaio_verify.doctor.configuration import Configuration, Origin
from metaio_verify.doctor.finding import Fix, pasted
from metaio_verify.doctor.settings import Scope
from metaio_verify.doctor.shells import Rename, Set, Unset

RESTART = "Then start Claude Code anew."
"""A session reads the environment once."""


def set_variable(configuration: Configuration, name: str, value: str) -> tuple[str, Fix]:
    """Return the sentence and the fix that give a variable a value that is no secret."""
    origin = _origin(configuration, name)
    match origin.scope:
        case Scope.MANAGED:
            return f"Ask your administrator to set {name} to {value} in {origin.path}.", Fix()
        case Scope.SHELL | Scope.DEFAULT:
            return f"Set {name} to {value}. {RESTART}", pasted(Set(name, value))
    sentence = f"Write this in {_place(origin)}. It wins over what your shell exports."
    return sentence, Fix(file=_place(origin), json=f"{json.dumps(name)}: {json.dumps(value)}")


def unset_variable(configuration: Configuration, name: str) -> tuple[str, Fix]:
    """Return the sentence and the fix that take a variable away."""
    origin = _origin(configuration, name)
    match origin.scope:
        case Scope.MANAGED:
            return f"Ask your administrator to take {name} out of {origin.path}.", Fix()
        case Scope.SHELL | Scope.DEFAULT:
            return (
                f"Unset {name}, and take it out of your shell's profile. {RESTART}",
                pasted(Unset(name)),
            )
    return f"Delete {origin.key} from {_place(origin)}.", Fix(file=_place(origin))


def rename_variable(configuration: Configuration, old: str, new: str) -> tuple[str, Fix]:
    """Return the sentence and the fix that put a value under another name."""
    origin = _origin(configuration, old)
    match origin.scope:
        case Scope.MANAGED:
            return f"Ask your administrator to rename {old} to {new} in {origin.path}.", Fix()
        case Scope.SHELL | Scope.DEFAULT:
            return f"Put the value into {new} instead of {old}. {RESTART}", pasted(Rename(old, new))
    return f"Rename {old} to {new} in {_place(origin)}.", Fix(file=_place(origin))


def correct_secret(configuration: Configuration, name: str) -> str:
    """Return the sentence that has a secret written anew."""
    origin = _origin(configuration, name)
    where = _place(origin) if origin.is_file else "your shell"
    return f"Set {name} again in {where}, with the key alone. {RESTART}"


def _origin(configuration: Configuration, name: str) -> Origin:
    value = configuration.variables.get(name)
    return value.origin if value else Origin(Scope.SHELL, key=name)


def _place(origin: Origin) -> str:
    return origin.path if origin.line is None else f"{origin.path}, line {origin.line}"

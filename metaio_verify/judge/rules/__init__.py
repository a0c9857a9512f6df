"""The named rules of check files (`rule: NAME`). Each module adds those of one subject.

A new module needs no entry here: all of them are imported, so that their rules are registered.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from metaio_verify.judge.rules.registry import RULES

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = ["RULES"]

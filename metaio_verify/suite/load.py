"""From YAML to a suite: the built-in one quickly, others with the place of every mistake."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

import msgspec

from metaio_verify.errors import Problem, UserError
from metaio_verify.suite.compiled import keep, recall
from metaio_verify.suite.merge import EMPTY, merge, with_ids
from metaio_verify.suite.model import CheckFile, Suite


class BuiltinSuiteMissingError(RuntimeError):
    """The program was installed without its check files."""


@functools.cache
def builtin() -> Suite:
    """The suite that comes with the program.

    It is trusted to be right, which the tests verify, so nothing is looked at twice here. Where
    it is broken all the same, as while somebody writes a check, `UserError` tells each place.
    """
    folder = builtin_folder()
    paths = sorted(folder.glob("*.yaml"))
    kept = recall(paths)
    return merge(kept) if kept is not None else _read(folder, paths)


def _read(folder: Path, paths: Sequence[Path]) -> Suite:
    import yaml  # noqa: PLC0415 - slow, and most runs do without

    from metaio_verify.suite.syntax import FastLoader  # noqa: PLC0415 - likewise

    try:
        # The loader builds plain data only.
        raw = [yaml.load(path.read_bytes(), Loader=FastLoader) for path in paths]  # noqa: S506
        named = [with_ids(one) for one in raw]
        suite = merge([msgspec.convert(one, CheckFile) for one in named])
    except (yaml.YAMLError, msgspec.ValidationError, AttributeError, TypeError):
        return load([folder])
    keep(paths, named)
    return suite


def builtin_folder() -> Path:
    """Where the built-in check files are: inside the package, or beside it in a source tree."""
    package = Path(__file__).parents[1]
    for folder in (package / "checks", package.parent / "checks"):
        if any(folder.glob("*.yaml")):
            return folder
    raise BuiltinSuiteMissingError(f"{package} was installed without its check files")


def load(paths: Sequence[Path], base: Suite | None = None) -> Suite:
    """The suite of check files, or folders of them, added to a base.

    Raises:
        UserError: with every mistake of every file. A file cannot replace what another one or the
            base has already said.

    """
    from metaio_verify.suite.audit import audit  # noqa: PLC0415 - the built-in suite does without
    from metaio_verify.suite.read import find, read  # noqa: PLC0415 - likewise

    base = base or EMPTY
    problems: list[Problem] = []
    files = [file for path in find(paths, problems) if (file := read(path, problems))]
    problems += audit(files, base)
    if problems:
        raise UserError(*problems)
    suite = merge([file.parts for file in files], base)
    suite.places.update(
        (id_, file.source.place(("checks", id_))) for file in files for id_ in file.parts.checks
    )
    return suite

"""A page of the operator's own: a Jinja template instead of our Markdown.

The template may come from anywhere, and the values come from servers. So it runs in a sandbox (no
attributes of Python objects, no files, no other templates), its variables are plain data, and every
value that it prints is escaped for Markdown, unless it is Markdown that this program made.
"""

from __future__ import annotations

import difflib
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import ImmutableSandboxedEnvironment

from metaio_verify.errors import Place, Problem, UserError
from metaio_verify.record import RunRecord
from metaio_verify.report import capabilities, clients
from metaio_verify.report.changes import changes
from metaio_verify.report.environment import settings
from metaio_verify.report.markdown import sections
from metaio_verify.report.markup import cell, code, link, prose, sentence, shell_word
from metaio_verify.report.onboarding import Page, check_command, open_page
from metaio_verify.textfile import read_text
from metaio_verify.verdict import Verdict

_MISTAKES = (
    *(jinja2.TemplateError, TypeError, ValueError, AttributeError),
    *(ArithmeticError, LookupError, RecursionError, MemoryError),
)
"""What the expressions of a template may end in."""


VARIABLES = (
    *("host", "base_url", "date", "works", "headline", "token_variable", "model", "models"),
    *("clients", "settings", "deviations", "changes", "profile", "requests", "tool", "command"),
    *("blocks", "sections"),
)
"""What every page has; docs/templates.md lists it."""


class Markdown(str):
    """Text that is Markdown already."""

    __slots__ = ()


class Template:
    """A template that was read and understood."""

    def __init__(self, path: Path) -> None:
        """Read and compile; raises `UserError` with the place of a mistake."""
        self.path = path
        self._path = str(path)
        self._environment = _environment()
        text = read_text(path, pipes=True)
        try:
            tree = self._environment.parse(text, self._path, self._path)
            compiled = self._environment.compile(tree, self._path, self._path)
        except jinja2.TemplateSyntaxError as error:
            place = Place(self._path, error.lineno)
            raise UserError(Problem(error.message or "not a template", place)) from None
        except (RecursionError, MemoryError, SyntaxError):  # the last one is Python's
            problem = Problem("an expression is nested too deeply", Place(self._path))
            raise UserError(problem) from None
        if problems := list(_unknown(tree, self._path)):
            raise UserError(*problems)
        self._template = jinja2.Template.from_code(
            self._environment, compiled, self._environment.make_globals(None)
        )

    def render(self, record: RunRecord, before: RunRecord | None = None) -> str:
        """Return the page; raises `UserError` with the place of what cannot be done."""
        try:
            text = self._template.render(variables(record, before))
        except _MISTAKES as error:
            raise UserError(self._problem(error)) from None
        return text if text.endswith("\n") else f"{text}\n"

    def _problem(self, error: Exception) -> Problem:
        """Where in the template it happened, and the nearest right name."""
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == self._path]
        message = str(error) or type(error).__name__
        hint = ""
        if isinstance(error, jinja2.UndefinedError) and message.endswith("is undefined"):
            name = message.partition("'")[2].partition("'")[0]
            hint = _nearest(name)
        if "no loader" in message:
            message, hint = "a template stands alone", "it cannot include or extend another one"
        return Problem(
            " ".join(message.split()), Place(self._path, lines[-1] if lines else None), hint
        )


def _unknown(tree: nodes.Template, path: str) -> Iterator[Problem]:
    """The variables that no page will have, with the line that asks for them first.

    What a template asks about before it is used (`is defined`) may be missing.
    """
    lines = {name.name: name.lineno for name in reversed(list(tree.find_all(nodes.Name)))}
    asked = {
        test.node.name
        for test in tree.find_all(nodes.Test)
        if test.name in ("defined", "undefined") and isinstance(test.node, nodes.Name)
    }
    for name in sorted(find_undeclared_variables(tree) - {*VARIABLES, *asked, "range"}):
        place = Place(path, lines.get(name))
        yield Problem(f"'{name}' is undefined", place, _nearest(name))


def _nearest(name: str) -> str:
    near = difflib.get_close_matches(name, VARIABLES, n=1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(VARIABLES)}"


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        undefined=jinja2.StrictUndefined,
        finalize=_printed,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals = {"range": environment.globals["range"]}
    # These would declare any text to be harmless.
    for name in ("safe", "e", "escape", "forceescape", "mark_safe", "xmlattr", "urlize", "tojson"):
        environment.filters.pop(name, None)
    own: dict[str, Callable[[str], str]] = {
        "code": code,
        "cell": cell,
        "link": link,
        "shell": shell_word,
        "sentence": sentence,
    }
    environment.filters.update({name: _marking(filter_) for name, filter_ in own.items()})
    return environment


def _marking(filter_: Callable[[str], str]) -> Callable[[Any], Markdown]:
    return lambda value: Markdown(filter_(str(value)))


def _printed(value: Any) -> Any:
    """Escape what is printed. Numbers stay; nothing else than text, numbers and None is printed."""
    match value:
        case Markdown():
            return value
        case bool():
            return "yes" if value else "no"
        case int() | float() | jinja2.Undefined():
            return value
        case None:
            return ""
    return prose(str(value))


def variables(record: RunRecord, before: RunRecord | None = None) -> dict[str, Any]:
    """Return what a template can use; docs/templates.md lists it."""
    page = open_page(record)
    found = changes(before, record) if before else None
    return {
        "host": page.host,
        "base_url": page.base,
        "date": page.date,
        "works": page.works,
        "headline": page.summary.headline,
        "token_variable": page.variable or "",
        "model": page.model or "",
        "models": _models(page),
        "clients": [
            {"name": row.client, "reach": str(row.reach), "text": row.text}
            for row in clients.rows(record)
        ],
        "settings": [
            {"name": one.name, "value": one.value, "reason": one.reason, "needed": one.needed}
            for one in settings(record)
        ],
        "deviations": _deviations(page),
        "changes": {
            "since": open_page(before).date if before else "",
            "better": found.better if found else [],
            "worse": found.worse if found else [],
            "other": found.other if found else [],
        },
        "profile": record.selection.profile,
        "requests": record.cost.requests,
        "tool": f"{record.tool.name} {record.tool.version}",
        "command": Markdown(check_command(record)),
        "blocks": {block.name: Markdown(block.code) for block in page.blocks},
        "sections": {name: Markdown(text) for name, text in sections(page, before).items()},
    }


def _models(page: Page) -> list[dict[str, Any]]:
    learnt = capabilities.rows(page.record)
    return [
        {
            "id": result.model,
            "outcome": str(result.outcome),
            "verified": result.model in page.verified,
            "passed": result.musts[Verdict.PASS],
            "listed": result.model in page.discovery.listed,
            "capabilities": [row.name for row in learnt if row.models.get(result.model)],
        }
        for result in page.summary.models
    ]


def _deviations(page: Page) -> list[dict[str, Any]]:
    return [
        {
            "check": one.check,
            "title": one.info.title,
            "level": str(one.level),
            "verdict": str(one.verdict),
            "effects": [{"clients": who, "effect": what} for who, what in one.effects.items()],
            "expected": one.seen[0].finding.expected if one.seen else "",
            "actual": one.seen[0].finding.actual if one.seen else "",
            "fix": one.info.fix,
            "workaround": one.info.workaround,
            "models": list(one.models),
        }
        for one in page.deviations
    ]

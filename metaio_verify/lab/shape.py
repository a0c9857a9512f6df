"""Small checks on decoded JSON that answer in the words of the API.

A check takes a value, its path (`messages.0.role`) and a list that it adds refusals to. The rule of
a refusal is the path without its numbers and the kind of mistake: `messages.role.value`,
`max_tokens.missing`, `metadata.user_id.length`. Nothing stops at the first mistake, so a fault can
let one mistake pass and the next one is still found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from metaio_verify.lab.types import ApiError


class Problems(list[ApiError]):
    """The refusals of one request, in the order in which the API would find them."""

    def add(self, path: str, kind: str, message: str) -> None:
        """Refuse the value at a path."""
        self.append(ApiError(400, f"{path}: {message}", rule=f"{without_numbers(path)}.{kind}"))

    def say(self, rule: str, message: str) -> None:
        """Refuse for a rule that is about more than one value."""
        self.append(ApiError(400, message, rule=rule))


Check: TypeAlias = Callable[[Any, str, Problems], None]


def without_numbers(path: str) -> str:
    """Return a path without its list positions."""
    return ".".join(part for part in path.split(".") if not part.isdigit())


def anything(_value: Any, _path: str, _problems: Problems) -> None:
    """Accept every value."""


def boolean(value: Any, path: str, problems: Problems) -> None:
    """Accept true and false."""
    if not isinstance(value, bool):
        problems.add(path, "type", "Input should be a valid boolean")


def mapping(value: Any, path: str, problems: Problems) -> None:
    """Accept any JSON object."""
    if not isinstance(value, dict):
        problems.add(path, "type", "Input should be a valid dictionary")


def nullable(check: Check) -> Check:
    """Accept null, and what `check` accepts."""

    def run(value: Any, path: str, problems: Problems) -> None:
        if value is not None:
            check(value, path, problems)

    return run


def integer(minimum: int | None = None, maximum: int | None = None) -> Check:
    """Accept whole numbers between the bounds; a numeric string is none."""

    def run(value: Any, path: str, problems: Problems) -> None:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            problems.add(path, "type", "Input should be a valid integer")
        elif minimum is not None and value < minimum:
            problems.add(path, "range", f"Input should be greater than or equal to {minimum}")
        elif maximum is not None and value > maximum:
            problems.add(path, "range", f"Input should be less than or equal to {maximum}")

    return run


def number(minimum: float, maximum: float) -> Check:
    """Accept numbers between the bounds."""

    def run(value: Any, path: str, problems: Problems) -> None:
        if not isinstance(value, int | float) or isinstance(value, bool):
            problems.add(path, "type", "Input should be a valid number")
        elif not minimum <= value <= maximum:
            problems.add(path, "range", f"range: {minimum:g}..{maximum:g}")

    return run


def string(minimum: int = 0, maximum: int | None = None, pattern: str | None = None) -> Check:
    """Accept strings of that many characters that match the whole pattern."""
    expression = None if pattern is None else re.compile(pattern)

    def run(value: Any, path: str, problems: Problems) -> None:
        if not isinstance(value, str):
            problems.add(path, "type", "Input should be a valid string")
        elif len(value) < minimum:
            problems.add(path, "length", f"String should have at least {minimum} character")
        elif maximum is not None and len(value) > maximum:
            problems.add(path, "length", f"String should have at most {maximum} characters")
        elif expression is not None and not expression.fullmatch(value):
            problems.add(path, "pattern", f"String should match pattern '{pattern}'")

    return run


def one_of(*choices: str) -> Check:
    """Accept the listed strings."""
    wanted = _alternatives([f"'{choice}'" for choice in choices], "or")

    def run(value: Any, path: str, problems: Problems) -> None:
        if not isinstance(value, str) or value not in choices:
            problems.add(path, "value", f"Input should be {wanted}")

    return run


def list_of(check: Check) -> Check:
    """Accept lists whose items the check accepts."""

    def run(value: Any, path: str, problems: Problems) -> None:
        if not isinstance(value, list):
            problems.add(path, "type", "Input should be a valid list")
            return
        for position, item in enumerate(value):
            check(item, f"{path}.{position}", problems)

    return run


def fields(
    required: Mapping[str, Check], optional: Mapping[str, Check], *, closed: bool = True
) -> Check:
    """Accept objects with these fields; a closed object has no others."""
    known = {**required, **optional}

    def run(value: Any, path: str, problems: Problems) -> None:
        if not isinstance(value, dict):
            problems.add(path, "type", "Input should be a valid dictionary")
            return
        prefix = f"{path}." if path else ""
        for name in required:
            if name not in value:
                problems.add(prefix + name, "missing", "Field required")
        for name, item in value.items():
            if (check := known.get(name)) is not None:
                check(item, prefix + name, problems)
        if closed and not value.keys() <= known.keys():
            for name in value.keys() - known.keys():
                problems.add(prefix + name, "extra", "Extra inputs are not permitted")

    return run


def tagged(variants: Mapping[str, Check], *, default: str | None = None) -> Check:
    """Accept objects by their `type`; the type becomes a part of the path, as the API has it."""
    wanted = ", ".join(f"'{name}'" for name in variants)

    def run(value: Any, path: str, problems: Problems) -> None:
        if not isinstance(value, dict):
            problems.add(path, "type", "Input should be a valid dictionary")
            return
        tag = value.get("type", default)
        if tag is None:
            problems.add(f"{path}.type", "missing", "Field required")
        elif not isinstance(tag, str) or tag not in variants:
            problems.add(
                path,
                "tag",
                f"Input tag '{tag}' found using 'type' does not match any of the expected tags: "
                f"{wanted}",
            )
        else:
            variants[tag](value, f"{path}.{tag}", problems)

    return run


def string_or(check: Check, *, minimum: int = 0) -> Check:
    """Accept strings, and what the check accepts."""
    text = string(minimum)

    def run(value: Any, path: str, problems: Problems) -> None:
        (text if isinstance(value, str) else check)(value, path, problems)

    return run


def _alternatives(names: list[str], word: str) -> str:
    if len(names) == 1:
        return names[0]
    return f"{', '.join(names[:-1])} {word} {names[-1]}"

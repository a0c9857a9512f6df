"""What a probe sends, written as a curl command: to be read, with its references unresolved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import UNSET

from metaio_verify.suite.layout import laid_out
from metaio_verify.suite.model import Auth, Probe
from metaio_verify.suite.words import printable

_KEY = "$ANTHROPIC_API_KEY"
_MADE_UP = "a made-up key"
_CREDENTIALS = {
    Auth.DEFAULT: {"x-api-key": _KEY},
    # A run whose default is the other way round sends it the other way round.
    Auth.OTHER: {"authorization": f"Bearer {_KEY}"},
    Auth.X_API_KEY: {"x-api-key": _KEY},
    Auth.BEARER: {"authorization": f"Bearer {_KEY}"},
    Auth.BOTH: {"x-api-key": _KEY, "authorization": f"Bearer {_KEY}"},
    Auth.NONE: {},
    Auth.INVALID_X_API_KEY: {"x-api-key": _MADE_UP},
    Auth.INVALID_BEARER: {"authorization": f"Bearer {_MADE_UP}"},
    Auth.BEARER_WITH_STALE_X_API_KEY: {
        "x-api-key": _MADE_UP,
        "authorization": f"Bearer {_KEY}",
    },
    Auth.X_API_KEY_WITH_STALE_BEARER: {
        "x-api-key": _KEY,
        "authorization": f"Bearer {_MADE_UP}",
    },
}
_LONGEST_TEXT = 200
_MOST_ITEMS = 4


class Code(str):
    """A line of code, which is broken otherwise than prose."""

    __slots__ = ()


def curl(probe: Probe) -> Iterator[Code]:
    """The lines of the command; a long body is shortened and says so."""
    yield from map(Code, _command(probe))


def _command(probe: Probe) -> Iterator[str]:
    query = "&".join(f"{key}={value}" for key, value in probe.query.items())
    url = f"$ANTHROPIC_BASE_URL{probe.path}{f'?{query}' if query else ''}"
    method = "" if probe.method in ("GET", "POST") else f"-X {probe.method} "
    arguments = [f'curl {method}"{url}"']
    arguments += [f'-H "{name}: {value}"' for name, value in _headers(probe)]
    body = list(_body(probe))
    if body:
        arguments.append(f"-d '{body[0]}")
    for number, argument in enumerate(arguments):
        last = number == len(arguments) - 1
        more = "" if last else " \\"
        end = "'" if last and len(body) == 1 else ""
        yield f"{'  ' if number else ''}{argument}{more}{end}"
    for number, line in enumerate(body[1:], start=2):
        yield f"  {line}{chr(39) if number == len(body) else ''}"


def _headers(probe: Probe) -> Iterator[tuple[str, str]]:
    replaced = {name.lower() for name in probe.headers}
    lines = dict(_CREDENTIALS[probe.auth])
    if probe.version:
        lines["anthropic-version"] = probe.version
    if probe.beta:
        lines["anthropic-beta"] = ",".join(probe.beta)
    if probe.json is not UNSET or probe.body is not UNSET:
        lines["content-type"] = "application/json"
    yield from ((name, value) for name, value in lines.items() if name not in replaced)
    for name, value in probe.headers.items():
        for line in [value] if isinstance(value, str) else value or []:
            yield name, printable(line)


def _body(probe: Probe) -> Iterator[str]:
    """The body's lines, quoted for a shell except for the quotes at both ends."""
    if probe.body is not UNSET:
        yield printable(_cut(str(probe.body))).replace("'", "'\\''")
    elif probe.json is not UNSET:
        for line in laid_out(_shortened(probe.json)):
            yield line.replace("'", "'\\''")


def _shortened(value: Any) -> Any:
    """JSON whose long texts and lists are cut, with how much there is."""
    match value:
        case str():
            return _cut(value)
        case dict():
            return {key: _shortened(item) for key, item in value.items()}
        case list() if len(value) > _MOST_ITEMS:
            shown = [_shortened(item) for item in value[: _MOST_ITEMS - 1]]
            return [*shown, f"… and {len(value) - len(shown)} more"]
        case list():
            return [_shortened(item) for item in value]
    return value


def _cut(text: str) -> str:
    if len(text) <= _LONGEST_TEXT:
        return text
    return f"{text[:_LONGEST_TEXT]}… ({len(text):,} characters)"

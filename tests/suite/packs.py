"""A small check file that is right, and the means to break it."""

from __future__ import annotations

from pathlib import Path

from metaio_verify.errors import UserError
from metaio_verify.suite.load import load

PACK = """\
probes:
  ask:
    purpose: A question.
    post: /v1/messages
    json: {model: "${model}", ask: "${token}"}
    capture: {id: $.id}
  again:
    purpose: The question again.
    get: /v1/messages/${ask.id}
    needs: [ask]
checks:
  own.answer:
    title: The answer is right
    level: must
    contract: OWN-01
    source: https://example.com/contract
    on: ask
    expect: {status: 200}
    breaks: {any-client: everything}
    fix: Mend it.
    faults: []
schemas:
  answer: {type: object}
"""


def changed(old: str, new: str, pack: str = PACK) -> str:
    """The pack with one place changed."""
    assert pack.count(old) == 1, old
    return pack.replace(old, new)


def write(folder: Path, text: str | bytes, name: str = "pack.yaml") -> Path:
    """A file with this content."""
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def mistakes(*paths: Path) -> list[str]:
    """What loading says is wrong, each mistake without the folder of its file."""
    try:
        load(paths)
    except UserError as error:
        return [str(problem).replace(f"{paths[0].parent}/", "") for problem in error.problems]
    return []

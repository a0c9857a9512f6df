"""Reading a text file of the user's: bounded, UTF-8, and every obstacle with its place."""

from __future__ import annotations

from pathlib import Path

from metaio_verify.errors import Place, Problem, UserError
from metaio_verify.suite.words import printable

MAX_BYTES = 1_000_000


def read_text(path: Path, *, missing: str = "", pipes: bool = False) -> str:
    """Return the text of a file, without a byte order mark.

    Args:
        path: the file
        missing: what to do when it is not there
        pipes: whether it may be a pipe or a device, as in `--config <(…)`; one that is found in a
            folder might never end

    Raises:
        UserError: it cannot be read; for what is not UTF-8 with line and column.

    """
    place = Place(printable(str(path)))
    try:
        if path.exists() and not path.is_file() and (path.is_dir() or not pipes):
            raise UserError(Problem("is not a file", place))
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except (OSError, RuntimeError) as error:
        raise UserError(unreadable(path, error, missing)) from None
    if len(data) > MAX_BYTES:
        raise UserError(Problem(f"longer than {MAX_BYTES} bytes", place))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The position is one in the text behind the mark, which is what people count from.
        line = error.object.count(b"\n", 0, error.start) + 1
        column = error.start - error.object.rfind(b"\n", 0, error.start)
        message = f"not UTF-8: byte 0x{error.object[error.start]:02x}"
        raise UserError(Problem(message, Place(place.path, line, column))) from None


def unreadable(path: Path, error: Exception, missing: str = "") -> Problem:
    """Return why a file cannot be read; a link that leads to itself is a `RuntimeError`."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    hint = missing if isinstance(error, FileNotFoundError) else ""
    return Problem(f"cannot be read: {reason}", Place(printable(str(path))), hint)

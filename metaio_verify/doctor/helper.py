"""Running the apiKeyHelper, as Claude Code does: in a shell, for its output alone."""

from __future__ import annotations

import os
import signal
import subprocess
from dataclasses import dataclass, field

from metaio_verify.doctor.configuration import Configuration

_LONGEST_KEY = 16_384


@dataclass(frozen=True)
class Helped:
    """What came of the helper."""

    key: str = field(default="", repr=False)
    defect: str = ""
    """Why there is no key, as a clause after “it”; never with the output itself."""
    complaint: str = field(default="", repr=False)
    """The last line that it wrote to standard error."""


def run(configuration: Configuration, command: str, timeout: float) -> Helped:
    """Run the helper with the variables that Claude Code would give it; `timeout` in seconds."""
    machine = configuration.machine
    environ = {**machine.environ, **{n: v.text for n, v in configuration.variables.items()}}
    try:
        process = subprocess.Popen(  # noqa: S602 - the user's own setting, run as Claude Code does
            command,
            shell=True,
            env=environ,
            cwd=machine.real(machine.cwd),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it holds a NUL"
        return Helped(defect=f"cannot be started: {reason}")
    with process:
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            _end(process)
            return Helped(defect=f"is not finished after {timeout:g} s")
    complaint = _last_line(err)
    if process.returncode:
        return Helped(defect=_exit(process.returncode), complaint=complaint)
    return _judged(out, complaint)


def _judged(out: bytes, complaint: str) -> Helped:
    text = out.decode("utf-8", "replace").strip()
    if not text:
        return Helped(defect="prints nothing", complaint=complaint)
    if len(text.splitlines()) > 1:
        return Helped(defect=f"prints {len(text.splitlines())} lines where the key alone belongs")
    if any(character.isspace() for character in text):
        return Helped(defect="prints more than one word where the key alone belongs")
    if not (text.isascii() and text.isprintable()) or len(text) > _LONGEST_KEY:
        return Helped(defect="prints something that no header can carry")
    return Helped(key=text)


def _exit(code: int) -> str:
    known = {126: ": it is not executable", 127: ": there is no such command"}
    return f"ends with exit code {code}{known.get(code, '')}"


def _last_line(err: bytes) -> str:
    lines = err.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else ""


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the helper and whatever it started."""
    if os.name == "posix":
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.communicate()

"""Texts that keep patterns busy: looking through them takes time in proportion to their length."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs limits of POSIX")
CPU_SECONDS = 20
"""Many times what is needed, and a part of what a square of the length takes."""

LOOK = f"""
import json, resource, sys
from metaio_verify.probe.clean import cleaned
from metaio_verify.probe.client import Answer
from metaio_verify.probe.redact import Redactor
resource.setrlimit(resource.RLIMIT_CPU, ({CPU_SECONDS}, {CPU_SECONDS}))
for name, secret, piece, size in json.load(sys.stdin):
    print(name, flush=True)
    body = (piece.encode() * (size // len(piece) + 1))[:size]
    head = [("content-type", "text/plain"), ("x-echo", body[:60_000].decode())]
    answer = Answer(status=500, headers=head, body=body, chunks=[(0.1, len(body))])
    cleaned(answer, Redactor([secret]), "gateway.example")
print("done")
"""

KEY = "sk-ant-canary-7Qx+Zt/9w=BkLm4RsJp"
SHORT = "none"
SOME, MANY = 64 * 1024, 4 * 1024 * 1024
TEXTS = [
    ("the beginning of the key", KEY, "sk-ant-c", MANY),
    ("a later part of the key", KEY, "sk-ant-canary-7", SOME),
    ("a label and spaces", SHORT, "token" + " " * 30_000, SOME),
    ("a scheme and spaces", SHORT, "bearer" + " \t" * 15_000, SOME),
    ("labels", SHORT, 'api_key\\":', SOME),
    ("backslashes", KEY, "\\", SOME),
    ("escapes that are cut", KEY, "%2&#00", SOME),
    ("names of hosts", KEY, " a-a.b-b.c-c.d.e.f.g.h.i.j.k", SOME),
    ("stack frames", KEY, "  at " + ":1" * 190 + "x\n", SOME),
    ("file names", KEY, 'File "' + "a" * 399, SOME),
    ("tokens that are cut", KEY, " eyJ" + "a" * 1990 + ".", SOME),
    ("keys that begin", KEY, "-----BEGIN A PRIVATE KEY-----", SOME),
]


def test_no_text_keeps_the_program_busy() -> None:
    """Neither what is looked for, nor what nearly is, nor the key by a server that knows it."""
    done = subprocess.run(
        [sys.executable, "-c", LOOK],
        input=json.dumps(TEXTS),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines() == [*(name for name, *_ in TEXTS), "done"], done.stderr

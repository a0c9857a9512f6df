"""Memory: what a hostile endpoint sends is not kept, and models cost their evidence alone."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest
from hostile.server import JSON, OK, SSE, Serve, answers, counting, hostile, repeats, streamed
from hostile.test_endpoints import BOMB

from metaio_verify import Endpoint, Options, verify
from metaio_verify.lab.server import Lab, running

MIB = 1024 * 1024
BOUND = MIB // 4
SENT = 32 * MIB
OPTIONS = Options(
    only=["counting.served"],
    max_body=BOUND,
    max_events=500,
    timeout=2,
    request_timeout=2,
    run_timeout=30,
)


def flood(first: bytes, piece: bytes) -> Serve:
    """32 MiB of the same, as far as the client takes them."""
    serve = repeats(first, piece, SENT // len(piece))

    def some(connection: object) -> None:
        with contextlib.suppress(OSError):
            serve(connection)  # type: ignore[arg-type]

    return some


FLOODS = {
    "a head": flood(OK, b"x-a: " + b"b" * 65530 + b"\r\n"),
    "a body": flood(JSON + b"\r\n", b" " * 65536),
    "a line of a stream": flood(SSE + b"\r\ndata: ", b"x" * 65536),
    "small events": flood(SSE + b"\r\n", (b"data: " + b"x" * 92 + b"\n\n") * 640),
    "chunks": flood(SSE + b"transfer-encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 8192),
    "one chunk": flood(JSON + b"transfer-encoding: chunked\r\n\r\nffffffff\r\n", b"x" * 65536),
    "informational answers": flood(b"", b"HTTP/1.1 102 X\r\n\r\n" * 2048),
    "a bomb": answers(JSON + b"content-encoding: gzip\r\n", BOMB),
}


@pytest.mark.parametrize("what", FLOODS)
def test_a_flood_is_not_kept(what: str, lab: dict[str, str]) -> None:
    """Of 32 MiB the program holds a few at most at any moment, whatever they are."""
    key = lab["ANTHROPIC_API_KEY"]
    with hostile(FLOODS[what], picks=counting, upstream=lab["ANTHROPIC_BASE_URL"]) as url:
        tracemalloc.start()
        verify(Endpoint(url, key), OPTIONS)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < SENT / 4


def test_many_floods_are_bounded_together(lab: dict[str, str]) -> None:
    """A run keeps no more than the beginning of each, however many answers reach their bound."""
    options = replace(OPTIONS, only=["streaming.*", "claude-code.*", "thinking.*"])
    serve = flood(SSE + b"\r\ndata: ", b"x" * 65536)
    with hostile(serve, picks=streamed, upstream=lab["ANTHROPIC_BASE_URL"]) as url:
        tracemalloc.start()
        record = verify(Endpoint(url, lab["ANTHROPIC_API_KEY"]), options)
        kept, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    flooded = [one for one in record.exchanges if one.failure and one.failure.kind == "too-large"]
    assert len(flooded) > 5
    assert kept < SENT / 4


_PEAK = """
import resource, sys
from metaio_verify import Endpoint, Options, verify
record = verify(Endpoint(sys.argv[1], sys.argv[2], sys.argv[3].split(",")), Options())
from metaio_verify.report.json import encode
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, len(encode(record)))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs the units of Linux")
def test_more_models_cost_their_evidence_alone(tmp_path: Path) -> None:
    """Several models need little more memory than one, besides what is kept of them."""
    lab = Lab()
    with running(lab) as url:
        one, many = (
            _peak(url, lab.key, [model.id for model in lab.models[:count]], tmp_path)
            for count in (1, len(lab.models))
        )
    grown, evidence = many[0] - one[0], many[1] - one[1]
    # In memory evidence is there as objects, and for a moment as text too.
    assert grown < 8 * evidence


def _peak(url: str, key: str, models: list[str], folder: Path) -> tuple[int, int]:
    """Bytes at most, and bytes of the record."""
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, url, key, ",".join(models)],
        cwd=folder,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    peak, evidence = map(int, done.stdout.split())
    return peak * 1024, evidence

"""Memory: what a hostile endpoint sends is not kept, and models cost their evidence alone."""

from __future__ import annotations

import contextlib
import tracemalloc
from dataclasses import replace

import pytest
from hostile.server import JSON, OK, SSE, Serve, answers, counting, hostile, repeats, streamed
from hostile.test_endpoints import BOMB, BROTLI_BOMB

from metaio_verify import Endpoint, Options, verify
from metaio_verify.lab.server import Lab
from metaio_verify.report.json import encode

MIB = 1024 * 1024
BOUND = MIB // 4
SENT = 32 * MIB
OPTIONS = Options(
    only=["counting.served"],
    max_body=BOUND,
    max_events=500,
    timeout=2,
    request_timeout=0.5,
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
    "a bomb of another coding": answers(JSON + b"content-encoding: br\r\n", BROTLI_BOMB),
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
    options = replace(OPTIONS, only=["streaming.*", "claude-code.*"])
    serve = flood(SSE + b"\r\ndata: ", b"x" * 65536)
    with hostile(serve, picks=streamed, upstream=lab["ANTHROPIC_BASE_URL"]) as url:
        tracemalloc.start()
        record = verify(Endpoint(url, lab["ANTHROPIC_API_KEY"]), options)
        kept, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    flooded = [one for one in record.exchanges if one.failure and one.failure.kind == "too-large"]
    assert len(flooded) > 5
    assert kept < SENT / 4


def test_a_line_of_100_mb_ends_at_the_usual_bound(lab: dict[str, str]) -> None:
    """It is one event, so only its length tells; with the bounds of every run."""
    line = repeats(SSE + b"\r\ndata: ", b"x" * MIB, 100)
    with hostile(line, picks=streamed, upstream=lab["ANTHROPIC_BASE_URL"]) as url:
        endpoint = Endpoint(url, lab["ANTHROPIC_API_KEY"])
        tracemalloc.start()
        record = verify(endpoint, Options(only=["streaming.message-stop"]))
        kept, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    found = {one.failure.detail for one in record.exchanges if one.failure}
    assert found == {f"the body is larger than {Options().max_body:,} bytes"}
    assert kept < Options().max_body
    assert peak < 3 * Options().max_body


def test_more_models_cost_their_evidence_alone(lab: dict[str, str]) -> None:
    """Several models need little more memory than one, besides what is kept of them."""
    models = [model.id for model in Lab().models]

    def run(count: int) -> tuple[int, int, int]:
        """Bytes that are kept, bytes at most, and bytes of the record."""
        endpoint = Endpoint(lab["ANTHROPIC_BASE_URL"], lab["ANTHROPIC_API_KEY"], models[:count])
        tracemalloc.start()
        record = verify(endpoint, Options(profile="quick"))
        kept, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return kept, peak, len(encode(record))

    run(1)  # what is loaded once belongs to none
    one, many = run(1), run(len(models))
    kept, peak, evidence = (more - less for more, less in zip(many, one, strict=True))
    assert evidence > len(models) * 10_000
    # As objects; and at most as objects and as text, with the answers that are under way.
    assert kept < 3 * evidence
    assert peak < 5 * evidence

"""The same probes at two labs: what differs in shape, and where each key goes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from cli.process import run
from hostile.server import JSON, answers, hostile

from metaio_verify import Endpoint, Options, RunRecord, verify
from metaio_verify.lab.server import Lab, running
from metaio_verify.report import FORMATS

KEY, OTHER_KEY = "key-of-the-endpoint-Xa7!", "key-of-the-reference-Qz9!"


@pytest.fixture(scope="module")
def reference() -> Iterator[Endpoint]:
    """A clean lab with a key of its own."""
    with running(Lab(OTHER_KEY)) as url:
        yield Endpoint(url, OTHER_KEY)


def compared(
    reference: Endpoint, only: Sequence[str] = (), *, fault: str = "", variant: str = ""
) -> RunRecord:
    """Verify a lab beside the reference."""
    lab = Lab(KEY, faults=[fault] if fault else [], variants=[variant] if variant else [])
    with running(lab) as url:
        return verify(Endpoint(url, KEY), Options(only=only, reference=reference))


def differences(record: RunRecord) -> list[tuple[str, str, str, str]]:
    """Return what differs."""
    assert record.reference is not None
    found = record.reference.differences
    return [(one.aspect, one.where, one.target, one.reference) for one in found]


def test_two_clean_labs_do_not_differ(reference: Endpoint) -> None:
    """Over the whole suite: tokens, ids, texts and times are no difference."""
    found = compared(reference)
    assert found.exit_code == 0
    assert differences(found) == []
    assert found.reference is not None
    assert found.reference.compared > 100
    assert found.reference.cost.requests > 100


CHANGES = {
    "a header": ({"fault": "no-request-id"}, ("header", "request-id", "not there", "sent")),
    "a status": ({"fault": "auth-ignores-bearer"}, ("status", "", "401", "200")),
    "a legal difference": ({"variant": "count-tokens-not-served"}, ("status", "", "404", "200")),
}


@pytest.mark.parametrize(("change", "difference"), CHANGES.values(), ids=CHANGES)
def test_a_changed_lab_differs_in_what_was_changed(
    change: dict[str, str], difference: tuple[str, str, str, str], reference: Endpoint
) -> None:
    """Faults, and variants that no check complains about."""
    only = ["auth.bearer", "headers.request-id", "counting.served"]
    found = compared(reference, only, **change)
    assert differences(found) == [difference]
    assert found.exit_code == (1 if change.get("fault") == "auth-ignores-bearer" else 0)


def test_every_report_shows_it_and_none_shows_a_key(reference: Endpoint) -> None:
    """Terminal, Markdown page of a run that fails, and JSON."""
    found = compared(reference, ["auth.bearer"], fault="auth-ignores-bearer")
    for format_ in FORMATS.values():
        text = format_.render(found)
        assert KEY not in text
        assert OTHER_KEY not in text
        if format_ in ("terminal", "markdown", "json"):
            assert reference.base_url in text.replace("&#58;", ":")


class Heard:
    """Keeps what a server is sent."""

    def __init__(self) -> None:
        self.requests = b""

    def __call__(self, request: bytes) -> bool:
        """Keep a request, and have it answered."""
        self.requests += request
        return True


def test_each_key_goes_to_its_own_endpoint_only(tmp_path: Path) -> None:
    """Neither key reaches the other side, nor any output, though both sides repeat both keys."""
    body = f'{{"type":"message","content":[],"a":"{KEY}","b":"{OTHER_KEY}"}}'.encode()
    echo = answers(JSON + f"x-echo: {KEY} {OTHER_KEY}\r\n".encode(), body)
    ours, theirs = Heard(), Heard()
    with hostile(echo, picks=ours) as one, hostile(echo, picks=theirs) as other:
        done = run(
            *("check", "--only", "auth.bearer", "--only", "auth.x-api-key", "--model", "m"),
            *("--reference-url", other, "--reference-key-env", "THEIRS"),
            *("--report", "json=run.json", "--report", "markdown=page.md"),
            env={"ANTHROPIC_BASE_URL": one, "ANTHROPIC_API_KEY": KEY, "THEIRS": OTHER_KEY},
            cwd=tmp_path,
        )
    assert KEY.encode() in ours.requests
    assert OTHER_KEY.encode() not in ours.requests
    assert OTHER_KEY.encode() in theirs.requests
    assert KEY.encode() not in theirs.requests
    written = [(tmp_path / name).read_text("utf-8") for name in ("run.json", "page.md")]
    assert "Against the reference" in done.stdout
    for text in (done.stdout, done.stderr, *written):
        assert KEY not in text
        assert OTHER_KEY not in text

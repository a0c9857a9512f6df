from __future__ import annotations

import base64
import itertools
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaio_verify.probe.redact import Redactor
from metaio_verify.record import REDACTED

KEY = 'sk-canary-12345+/x"y'
FORMS = {
    "plain": KEY,
    "url-encoded": quote(KEY, safe=""),
    "json-escaped": json.dumps(KEY)[1:-1],
    "base64": base64.b64encode(f"Bearer {KEY} and more".encode()).decode(),
    "base64url": base64.urlsafe_b64encode(f"??{KEY}>>".encode()).decode(),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_of_the_secret_is_replaced(form: str) -> None:
    """Whatever way a server writes the key, it does not survive."""
    clean = Redactor([KEY]).text(f"before {form} after")
    assert REDACTED in clean
    assert KEY not in clean
    assert clean.startswith("before ")
    assert clean.endswith(" after")


@given(st.binary(max_size=40), st.binary(max_size=40), st.lists(st.integers(0, 120), max_size=5))
def test_arrival_times_still_cover_the_body(head: bytes, tail: bytes, cuts: list[int]) -> None:
    """After redaction the chunk lengths add up to the body, wherever the secret was split."""
    body = head + KEY.encode() + tail
    edges = sorted({min(cut, len(body)) for cut in cuts} | {0, len(body)})
    chunks = [(float(n), b - a) for n, (a, b) in enumerate(itertools.pairwise(edges))]
    clean, adapted, found = Redactor([KEY]).body(body, chunks)
    assert found
    assert KEY.encode() not in clean
    assert sum(length for _, length in adapted) == len(clean)
    assert all(length >= 0 for _, length in adapted)
    assert [at for at, _ in adapted] == [at for at, _ in chunks]


def test_short_keys_are_replaced_as_whole_words_only() -> None:
    """The key `test` leaves `latest` alone."""
    assert Redactor(["test"]).text("the latest test") == f"the latest {REDACTED}"


def test_nothing_is_found_in_other_text() -> None:
    """A body without the secret is returned as it is."""
    assert Redactor([KEY]).body(b"hello", [(0.1, 5)]) == (b"hello", [(0.1, 5)], False)

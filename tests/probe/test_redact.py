from __future__ import annotations

import base64
import html
import itertools
import json
import string
from collections.abc import Callable
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


WAYS: list[Callable[[str], str]] = [
    str,
    str.upper,
    lambda sign: f"\\\\{sign}",
    lambda sign: f"%{ord(sign):02X}",
    lambda sign: f"\\u00{ord(sign):02x}",
    lambda sign: f"\\\\\\x{ord(sign):02x}",
    lambda sign: f"&#{ord(sign):04d};",
    lambda sign: f"&#x{ord(sign):X};",
    lambda sign: html.escape(sign, quote=False),
]


@given(
    st.text(string.ascii_letters + string.digits + "-_+/=.%&\\", min_size=8, max_size=60),
    st.data(),
)
def test_each_character_may_be_written_in_another_way(secret: str, data: st.DataObject) -> None:
    """One text may mix all ways to escape."""
    ways = data.draw(st.lists(st.sampled_from(WAYS), min_size=len(secret), max_size=len(secret)))
    written = "".join(way(sign) for way, sign in zip(ways, secret, strict=True))
    assert Redactor([secret]).text(f"?{written}!") == f"?{REDACTED}!"


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


@pytest.mark.parametrize("key", ["x", "1", "key", "sk-1", "test", "none", "id"])
@pytest.mark.parametrize(
    "text",
    [
        '{"error": {"type": "api_error", "message": "Invalid API key: <>"}}',
        '{"api_key": "<>", "id": "msg_1"}',
        '{"detail": "{\\"api_key\\": \\"<>\\"}"}',
        "Authorization: Bearer <>",
        "unknown token `<>`",
        "https://example.com/v1/models?key=<>&limit=1",
        "ANTHROPIC_API_KEY=<>",
    ],
)
def test_short_keys_are_replaced_where_they_stand_as_a_credential(key: str, text: str) -> None:
    """Behind what announces a key, a dummy key is taken out."""
    assert Redactor([key]).text(text.replace("<>", key)).count(REDACTED) == 1


@pytest.mark.parametrize("key", ["x", "1", "key", "sk-1", "test", "none", "id", "tool", "user"])
@pytest.mark.parametrize(
    "text",
    [
        '{"id": "msg_1", "role": "user", "content": [{"type": "tool_use", "name": "test"}]}',
        "x-ratelimit-limit: 1",
        "the latest test of sk-1 says none",
        '{"usage": {"input_tokens": 1, "output_tokens": 1}}',
    ],
)
def test_short_keys_leave_other_text_alone(key: str, text: str) -> None:
    """Evidence is not destroyed to hide a key that everybody could guess."""
    assert Redactor([key]).body(text.encode(), []) == (text.encode(), [], False)


def test_a_short_key_is_never_shown_in_the_header_that_carries_it() -> None:
    """Whatever its length, the request's own credential is replaced."""
    clean = Redactor(["x"])
    assert clean.header("x-api-key", "x") == REDACTED
    assert clean.header("authorization", "Bearer x") == f"Bearer {REDACTED}"
    assert clean.header("x-debug-credential", "x") == REDACTED
    assert clean.header("accept-encoding", "x") == "x"


def test_nothing_is_found_in_other_text() -> None:
    """A body without the secret is returned as it is."""
    assert Redactor([KEY]).body(b"hello", [(0.1, 5)]) == (b"hello", [(0.1, 5)], False)

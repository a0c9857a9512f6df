from __future__ import annotations

import pytest

from metaio_verify.errors import UserError
from metaio_verify.probe.target import parse_base_url, parse_credential


@pytest.mark.parametrize(
    ("given", "base", "messages"),
    [
        ("https://h", "https://h", "https://h/v1/messages"),
        ("https://h/", "https://h", "https://h/v1/messages"),
        (
            "http://h:8080/anthropic/",
            "http://h:8080/anthropic",
            "http://h:8080/anthropic/v1/messages",
        ),
        ("http://[::1]:9", "http://[::1]:9", "http://[::1]:9/v1/messages"),
    ],
)
def test_a_base_url_is_read_as_clients_read_it(given: str, base: str, messages: str) -> None:
    """A trailing slash is dropped, a prefix is kept."""
    url = parse_base_url(given)
    assert str(url) == base
    assert url.below("/v1/messages") == messages


@pytest.mark.parametrize(
    ("given", "better"),
    [
        ("https://h/v1", "https://h"),
        ("https://h/v1/", "https://h"),
        ("https://h/v1/messages", "https://h"),
        ("https://h/api/v1", "https://h/api"),
        ("https://h/api", None),
        ("https://h/xv1", None),
    ],
)
def test_the_v1_mistake_is_seen(given: str, better: str | None) -> None:
    """What clients append by themselves is recognised at the end of a base URL."""
    found = parse_base_url(given).without_mistake()
    assert (str(found) if found else None) == better


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("", "is not a base URL"),
        ("gateway.example.com", "https://gateway.example.com"),
        ("localhost:8080", "http://localhost:8080"),
        ("ftp://h", "is not a base URL"),
        ("https://", "is not a base URL"),
        ("https://h:port", "not a URL"),
        ("https://h/a b", "space"),
        ('"https://h"', "quote"),
        ("https://h?x=1", "query"),
    ],
)
def test_what_is_no_base_url_is_refused(given: str, says: str) -> None:
    """The error says what would be right."""
    with pytest.raises(UserError, match=None) as caught:
        parse_base_url(given)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        "https://user:s3cret@h/x",
        "https://s3cret@h",
        "user:s3cret@h",
        "https://h/?key=s3cret",
        "https://h/#s3cret",
        "https://user:s3cret@h:port",
        "https://user:s3c ret@h",
    ],
)
def test_a_secret_in_the_url_is_refused_and_not_shown(given: str) -> None:
    """The error does not repeat what may be a credential."""
    with pytest.raises(UserError) as caught:
        parse_base_url(given)
    assert "s3c" not in str(caught.value)


@pytest.mark.parametrize("key", ["", "Bearer s3cret", "s3cret key", "s3cret\n", "s3crét"])
def test_a_key_that_no_header_can_carry_is_refused(key: str) -> None:
    """The error does not repeat the key."""
    with pytest.raises(UserError) as caught:
        parse_credential(key)
    assert "s3c" not in str(caught.value)


def test_a_credential_does_not_show_itself() -> None:
    """Neither its text nor its representation holds the secret."""
    credential = parse_credential("s3cret-key")
    assert "s3cret" not in f"{credential} {credential!r} {[credential]}"

from __future__ import annotations

import pytest

from metaio_verify.judge.internals import leaks, mask_keys

KEYS = {
    "an API key": "sk-proj-0a1b2c3d4e5f6a7b8c9d",
    "a Google key": "AIzaSyA0123456789abcdefghijklmnopqrstuv",
    "an AWS key id": "AKIAIOSFODNN7EXAMPLE",
    "a temporary AWS key id": "ASIAIOSFODNN7EXAMPLE",
    "a GitHub token": "ghs_0123456789abcdefghij",
    "a fine-grained GitHub token": "github_pat_0123456789abcdefghij",
    "a GitLab token": "glpat-0123456789abcdef",
    "a Slack token": "xoxb-0123456789",
    "a Hugging Face token": "hf_0123456789abcdefghij",
    "a Groq key": "gsk_0123456789abcdefghij",
    "a Google access token": "ya29.0123456789abcdefghij",
    "a private key": "-----BEGIN RSA PRIVATE KEY-----",
    "an AWS secret": "AWS_Secret_Access_Key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
}


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_keys_of_others_are_masked_and_found(key: str) -> None:
    """Of each kind only the beginning is shown, and the mask is found like the key."""
    text = f"upstream said: {key}"
    masked = mask_keys(text)
    assert masked == f"upstream said: [masked key {key[:6]}…]"
    for seen in (text, masked):
        assert [leak.kind for leak in leaks(seen, "gateway.example")] == ["key"]


@pytest.mark.parametrize("text", ["", "a task-list", "risk-free xoxo", "the KEY----- of it"])
def test_other_text_stays_as_it_is(text: str) -> None:
    """Words that look like the beginning of a key are none."""
    assert mask_keys(text) == text

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from msgspec.structs import replace
from report.parts import BASE, MODEL, exchange, judgement, record
from report.records import ALL, HOSTILE, clean, failing, hostile
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from metaio_verify.record import RunRecord, Target
from metaio_verify.report.markdown import render
from metaio_verify.report.markup import cell, code, fence, prose, sentence, shell_word, table
from metaio_verify.report.text import safe
from metaio_verify.verdict import Verdict

MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
TEXT = st.text(max_size=80) | st.text("`*_[](){}<>&#~|\\!:/$@=-+1.ahtpsw \n", max_size=60)
SECTIONS = [
    "What was verified",
    "Recommended route for Claude Code",
    "Environment setup",
    "Why this works",
    "Verified models",
    "Capabilities",
    "Known deviations",
    "Operational advice",
    "Troubleshooting",
    "References",
    "Run it yourself",
]


class Golden(SingleFileSnapshotExtension):
    """A whole page in a file of its own."""

    file_extension = "md"
    _write_mode = WriteMode.TEXT


@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_whole_page(make: Callable[[], RunRecord], snapshot: SnapshotAssertion) -> None:
    """The page of each kind of run."""
    assert render(make()) == snapshot.use_extension(Golden)


def tokens(text: str) -> list[Token]:
    """Return everything that a Markdown renderer makes of the text."""
    found = []
    for token in MARKDOWN.parse(text):
        found += [token, *(token.children or [])]
    return found


def target(**fields: object) -> Target:
    """Return a target with these properties."""
    plain: dict[str, object] = {
        "base_url": BASE,
        "given_url": BASE,
        "models": [MODEL],
        "auth": "x-api-key",
    }
    return Target(**{**plain, **fields})  # type: ignore[arg-type] # a test's own keywords


def test_a_page_has_all_its_sections_in_order() -> None:
    """A verified endpoint gets the whole page."""
    assert re.findall(r"^## (.+)$", render(clean()), re.MULTILINE) == SECTIONS


@pytest.mark.parametrize("name", [name for name in ALL if name != "clean"])
def test_what_is_not_verified_is_not_called_so(name: str) -> None:
    """A page of a run that failed or stopped begins with that, and claims nothing."""
    page = render(ALL[name]())
    assert page.split("\n")[2].startswith("> **Not ready to publish.** ")
    assert "Verified on" not in page
    assert "tested successfully" not in page
    assert "## What was verified" not in page


@pytest.mark.parametrize(
    ("styles", "auth", "variable"),
    [
        ({"x-api-key": True, "bearer": True}, "x-api-key", "ANTHROPIC_API_KEY"),
        ({"x-api-key": True, "bearer": False}, "x-api-key", "ANTHROPIC_API_KEY"),
        ({"x-api-key": False, "bearer": True}, "bearer", "ANTHROPIC_AUTH_TOKEN"),
        ({"x-api-key": None, "bearer": True}, "bearer", "ANTHROPIC_AUTH_TOKEN"),
        ({}, "bearer", "ANTHROPIC_AUTH_TOKEN"),
        ({"x-api-key": False, "bearer": False}, "x-api-key", None),
    ],
)
def test_the_variable_is_the_one_that_was_measured_to_work(
    styles: dict[str, bool | None], auth: str, variable: str | None
) -> None:
    """Claude Code gets the token in the variable whose header the endpoint takes."""
    page = render(record(target=target(auth_styles=styles, auth=auth)))
    setup = page.partition("## Environment setup")[2].partition("\n## ")[0]
    exported = re.findall(r"^export (\w+)=.*sk-your-token", setup, re.MULTILINE)
    assert exported == ([variable] if variable else [])


def test_the_v1_warning_is_there_only_when_it_was_measured() -> None:
    """The page warns of a base URL that ends in /v1 if such a request was seen to fail."""
    wrong = exchange("doubled", path="/v1/v1/messages", status=404)
    assert "Do not set" not in render(clean())
    assert f"Do not set `ANTHROPIC_BASE_URL={BASE}/v1`" in render(record(more=[wrong]))
    given_ = record(target=target(given_url=f"{BASE}/v1"))
    assert f"Do not set `ANTHROPIC_BASE_URL={BASE}/v1`" in render(given_)
    alias = exchange("doubled", path="/v1/v1/messages")
    assert "Do not set" not in render(record(more=[alias]))


def test_an_open_endpoint_wants_any_text() -> None:
    """Where a message without a token is answered, the page does not ask for one."""
    page = render(record(more=[exchange("no-key", key=None)]))
    assert 'export ANTHROPIC_API_KEY="any-text"' in page
    assert "keep it off public networks" in page


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "answered 401 here; Claude Code shows"), (403, "answered 403 here, so the error")],
)
def test_troubleshooting_says_what_a_wrong_token_gets(status: int, words: str) -> None:
    """The status of a made-up key is told as it was measured."""
    wrong = exchange("wrong", status=status, id_="wrong-one")
    run = record([judgement("auth.wrong-key", exchanges=["wrong-one"])], more=[wrong])
    assert words in render(run)


@pytest.mark.parametrize(
    ("listed", "status", "words"),
    [
        (["gpt-5.4", "claude-x"], 200, "listed 2 models; Claude Code's picker keeps 1 of them"),
        ([], 404, "is not served here (answered 404)"),
        ([], 200, "listed 0 models"),
    ],
)
def test_troubleshooting_knows_what_discovery_said(
    listed: list[str], status: int, words: str
) -> None:
    """The question of the empty list is answered with the list that was measured."""
    run = record(target=target(listed_models=listed))
    listing = exchange("models-list", method="GET", path="/v1/models", status=status)
    run = replace(run, exchanges=[*(e for e in run.exchanges if e.probe == "hello"), listing])
    assert words in render(run)


@pytest.mark.parametrize("body", ['{"data":[{"id":"claude-x"}]}', '{"data":[{}]}', "<html>", "["])
def test_a_list_counts_whoever_asked_for_it(body: str) -> None:
    """Models that only a check's own request listed are listed; a broken list lists none."""
    run = record(target=target())
    listing = exchange("models-list", method="GET", path="/v1/models?limit=1000")
    assert listing.response
    listing = replace(listing, response=replace(listing.response, text=body))
    page = render(replace(run, exchanges=[listing]))
    assert f"(lists {'1 model' if 'claude-x' in body else '0 models'})" in page


def test_troubleshooting_names_the_symptoms_of_this_endpoint() -> None:
    """What breaks for Claude Code is an entry, with the workaround."""
    page = render(failing()).partition("## Troubleshooting")[2]
    assert "### With `ANTHROPIC_AUTH_TOKEN` every turn ends with 401" in page
    assert "- Set `ANTHROPIC_API_KEY` instead of `ANTHROPIC_AUTH_TOKEN`." in page


def test_what_clients_cope_with_is_no_breakage() -> None:
    """Of another answer that will do, the page says why, and not what a violation would break."""
    reason = "refused with 422 where the API answers 400; clients try again"
    page = render(record([judgement("auth.bearer", Verdict.WARN, reason=reason)]))
    deviations = page.partition("## Known deviations")[2].partition("\n## ")[0]
    assert "Refused with 422 where the API answers 400" in deviations
    effect = "every turn ends with 401"
    assert effect in render(record([judgement("auth.bearer", Verdict.FAIL)]))
    assert effect not in page


def test_how_to_mend_is_for_the_operator_only() -> None:
    """A page for customers has the workaround; one that is not ready tells how to mend it too."""
    warned = record([judgement("headers.request-id", Verdict.WARN)])
    assert "To mend it" not in render(warned)
    assert "Every answer has a request-id (a warning)" in render(warned)
    assert "To mend it" in render(failing())


def test_a_part_of_the_suite_is_not_taken_for_the_whole() -> None:
    """A page of a narrowed run says at the top what was left out."""
    run = clean()
    selection = replace(run.selection, only=["models.*"], tags=["heavy"])
    top = render(replace(run, selection=selection)).partition("\n## ")[0]
    assert "> Only a part of the suite was run (`--only models.*`); the rest is not known." in top
    assert "Only a part" not in render(run)


def test_the_command_repeats_the_run() -> None:
    """The page gives the very selection, models and options of its run."""
    run = record(strict=True, models=["claude-a", "tiny b"])
    selection = replace(run.selection, only=["auth.*"], tags=["heavy"])
    command = render(replace(run, selection=selection)).partition("metaio-verify check ")[2]
    assert command.startswith(
        "--profile full --model claude-a --model \"tiny b\" --only 'auth.*' --tag heavy --strict "
    )


@pytest.mark.parametrize("make", [hostile, failing, clean])
def test_no_server_text_becomes_markup(make: Callable[[], RunRecord]) -> None:
    """There is no HTML, no image, and no link but to the documents of the checks."""
    found = tokens(render(make()))
    assert not [token for token in found if token.type in ("html_block", "html_inline", "image")]
    links = {str(token.attrs["href"]) for token in found if token.type == "link_open"}
    assert all(
        link.startswith(("https://code.claude.com/", "https://platform.claude.com/"))
        for link in links
    )


@settings(max_examples=300, deadline=None)
@given(TEXT)
@example(HOSTILE)
@example("`a``b` A_B ``` `https://x/<b>`_c_ [x](y) | ~~s~~ &lt; &#60;")
@example("- 1. # > = ***")
@example("1. a_b")
def test_prose_reads_as_it_was_written(text: str) -> None:
    """Whatever the text holds, a renderer shows it as text or code, in one paragraph."""
    for write in (prose, sentence):
        block = tokens(write(text))
        kinds = {token.type for token in block}
        plain = {"paragraph_open", "paragraph_close", "inline", "text", "text_special"}
        assert kinds <= plain | {"code_inline"}
        shown = "".join(t.content for t in block if t.type in ("text", "code_inline"))
        assert re.sub(r"[`\s]", "", shown) == re.sub(r"[`\s]", "", safe(text))


@settings(max_examples=100, deadline=None)
@given(TEXT)
@example("`")
@example("``` \\")
def test_code_shows_the_text(text: str) -> None:
    """A code span and a fence hold whatever they are given."""
    block = tokens(f"x {code(text)} y")
    spans = [token.content for token in block if token.type == "code_inline"]
    assert [span.strip() for span in spans] == [safe(text).strip()]
    (fenced,) = tokens(fence([safe(text)]))
    assert fenced.content == f"{safe(text)}\n"


@settings(max_examples=100, deadline=None)
@given(TEXT)
def test_a_cell_stays_a_cell(text: str) -> None:
    """No value tears a row apart."""
    found = tokens(table(["a", "b"], [[cell(text), "end"]]))
    cells = [token for token in found if token.type == "td_open"]
    assert len(cells) == 2


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("https://h/a?b=c", '"https://h/a?b=c"'),
        ("$(reboot)", "'$(reboot)'"),
        ("it's", "'it'\\''s'"),
        ('"', "'\"'"),
        ("a\nb", "'a\\nb'"),
    ],
)
def test_values_are_quoted_for_a_shell(text: str, word: str) -> None:
    """A value that a shell would act on stands in single quotes."""
    assert shell_word(text) == word

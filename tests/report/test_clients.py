from __future__ import annotations

import pytest
from msgspec.structs import replace
from report.parts import MODEL, record
from report.records import clean, two_models

from metaio_verify.record import ClientResult, Reach, RunRecord, Trouble
from metaio_verify.report.clients import rows
from metaio_verify.report.summary import summarise
from metaio_verify.report.terminal import render

_CC = "claude-code"
_PY = "anthropic-sdk-python>=2"


def trouble(reach: Reach = Reach.BREAKS, sees: str = "it raises", model: str = MODEL) -> Trouble:
    """Return something that a user sees."""
    return Trouble(reach=reach, sees=sees, because="a defect", model=model)


def result(reach: Reach, *troubles: Trouble, client: str = _CC, **more: object) -> ClientResult:
    """Return what becomes of one client."""
    fields = {"client": client, "reach": reach, "troubles": list(troubles), **more}
    return ClientResult(**fields)  # type: ignore[arg-type]  # a test's shorthand


def texts(run: RunRecord, *clients: ClientResult) -> list[str]:
    """Return the rows as they are read."""
    return [f"{one.client}: {one.text}" for one in rows(replace(run, clients=list(clients)))]


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (result(Reach.WORKS), "Claude Code 2.1: works"),
        (
            result(Reach.WORKS, trouble(Reach.WORKS, "errors mislead")),
            "Claude Code 2.1: works, but: errors mislead",
        ),
        (
            result(Reach.FALLBACK, trouble(Reach.FALLBACK, "it asks again")),
            "Claude Code 2.1: works with a fallback: it asks again",
        ),
        (
            result(Reach.SETTING, trouble(), switches={"A": "1"}),
            "Claude Code 2.1: works with a setting: A=1",
        ),
        (result(Reach.BREAKS, trouble(), client=_PY), "Python SDK 2+: breaks: it raises"),
        (
            result(Reach.BREAKS, trouble(), trouble(), trouble(sees="x"), trouble(sees="y")),
            "Claude Code 2.1: breaks: it raises (and 2 other things)",
        ),
    ],
)
def test_a_row_says_what_the_user_sees(one: ClientResult, text: str) -> None:
    """The worst trouble, once, and how many others there are."""
    assert texts(record(), one) == [text]


def test_what_was_not_measured_is_said() -> None:
    """A client of which too little is known is not called broken, and not working."""
    unknown = result(Reach.UNKNOWN, client=_PY, reason="this run did not test its key")
    found = texts(record(), result(Reach.WORKS), unknown)
    assert found[1] == "Python SDK 2+: not known: this run did not test its key"


def test_nothing_is_said_when_nothing_is_known() -> None:
    """A run of a few checks, or a record of an older version, has no such table."""
    assert texts(record(), result(Reach.UNKNOWN)) == []
    assert texts(record()) == []


def test_a_trouble_of_some_models_names_them() -> None:
    """With several models a row says which of them it is about."""
    (text,) = texts(two_models(), result(Reach.BREAKS, trouble(model="tiny-b")))
    assert text.endswith("it raises, with tiny-b")


def test_the_table_stands_first() -> None:
    """Whom it breaks is read before what was measured."""
    page = render(replace(clean(), clients=[result(Reach.WORKS)]))
    assert page.index("Claude Code 2.1") < page.index("Endpoint")


@pytest.mark.parametrize(
    ("clients", "headline"),
    [
        ([result(Reach.SETTING)], "Claude Code works here only with a setting"),
        ([result(Reach.FALLBACK)], "Claude Code works here only with a fallback"),
        (
            [result(Reach.FALLBACK), result(Reach.BREAKS, client=_PY)],
            "Python SDK 2+ will not work here",
        ),
        ([result(Reach.BREAKS)], "Claude Code will not work here"),
        ([result(Reach.WORKS)], "Claude Code works here, but with flaws"),
    ],
)
def test_the_headline_agrees_with_the_table(clients: list[ClientResult], headline: str) -> None:
    """A failed check does not say that a client breaks which gets over it."""
    run = two_models()
    assert summarise(replace(run, clients=clients)).headline.startswith(headline)


@pytest.mark.parametrize(
    ("reach", "words"),
    [
        (Reach.WORKS, "Claude Code works: "),
        (Reach.FALLBACK, "Claude Code works with a fallback: "),
    ],
)
def test_a_run_for_claude_code_says_that_it_works(reach: Reach, words: str) -> None:
    """The profile has its own sentence."""
    run = replace(clean(), clients=[result(reach)])
    run = replace(run, selection=replace(run.selection, profile="claude-code"))
    assert summarise(run).headline.startswith(words)

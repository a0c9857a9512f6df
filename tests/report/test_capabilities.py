from __future__ import annotations

from msgspec.structs import replace
from report.records import clean, two_models

from metaio_verify.report.capabilities import rows
from metaio_verify.report.markdown import render as page_of
from metaio_verify.report.terminal import render

_LEARNT = {
    "claude-a": {"vision": True, "own-thing": True, "role-system": False},
    "tiny-b": {"vision": False},
}


def test_each_model_has_a_column() -> None:
    """What was not learnt of a model is neither yes nor no; known capabilities come in order."""
    found = rows(replace(two_models(), capabilities=_LEARNT))
    assert [(one.name, list(one.models.values())) for one in found] == [
        ("system messages in the conversation", [False, None]),
        ("images", [True, False]),
        ("own thing", [True, None]),
    ]


def test_both_reports_show_the_table() -> None:
    """As columns on the page, as lists on a terminal."""
    run = replace(two_models(), capabilities=_LEARNT)
    assert "| images | yes | no |" in page_of(run)
    lines = [" ".join(line.split()) for line in render(run).splitlines()]
    assert "Can images, own thing" in lines
    assert "Cannot images" in lines


def test_nothing_learnt_is_not_shown() -> None:
    """A run that learnt nothing has no empty table."""
    run = replace(clean(), capabilities={})
    assert rows(run) == []
    assert "## Capabilities" not in page_of(run)

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from lab.labtest import Api, serving, valid


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    """A client of a clean lab."""
    with serving() as api:
        yield api


def page(api: Api, query: str = "") -> dict[str, Any]:
    """Return one page of the list."""
    answer = api.client.get(f"/v1/models{query}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def ids(found: dict[str, Any]) -> list[str]:
    """Return the ids of a page, and check its ends."""
    listed = [entry["id"] for entry in found["data"]]
    assert found["first_id"] == (listed[0] if listed else None)
    assert found["last_id"] == (listed[-1] if listed else None)
    return listed


def test_the_list_is_complete_and_newest_first(api: Api) -> None:
    """Each entry has the documented fields; Claude Code's picker keeps the ids."""
    found = page(api, "?limit=1000")
    assert found["has_more"] is False
    assert len(ids(found)) >= 3
    dates = [datetime.fromisoformat(entry["created_at"]) for entry in found["data"]]
    assert dates == sorted(dates, reverse=True)
    for entry in found["data"]:
        assert entry["type"] == "model"
        assert "claude" in entry["id"]
        assert entry["display_name"]
        assert entry["lifecycle"] in ("active", "deprecated")
        assert entry["max_input_tokens"] > entry["max_tokens"]
        assert entry["capabilities"]["thinking"]["types"]["adaptive"]["supported"] is True


def test_pages_forwards(api: Api) -> None:
    """Following `after_id` until `has_more` is false gives each model once."""
    everything, seen, query = ids(page(api)), [], "?limit=1"
    while True:
        found = page(api, query)
        seen += ids(found)
        if not found["has_more"]:
            break
        query = f"?limit=1&after_id={found['last_id']}"
    assert seen == everything
    assert ids(page(api, f"?after_id={everything[-1]}")) == []


def test_pages_backwards(api: Api) -> None:
    """`before_id` gives the entries directly before, and says whether there are more."""
    everything = ids(page(api))
    found = page(api, f"?limit=1&before_id={everything[2]}")
    assert ids(found) == [everything[1]]
    assert found["has_more"] is True
    assert page(api, f"?limit=2&before_id={everything[2]}")["has_more"] is False


def test_the_list_can_be_narrowed_to_a_stage(api: Api) -> None:
    """`lifecycle` filters."""
    assert {e["lifecycle"] for e in page(api, "?lifecycle=deprecated")["data"]} == {"deprecated"}


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=ten", "after_id=nobody", "before_id=nobody"]
)
def test_a_bad_query_is_400(api: Api, query: str) -> None:
    """The message names the parameter."""
    answer = api.client.get(f"/v1/models?{query}")
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(query.partition("=")[0])


def test_one_model(api: Api) -> None:
    """A listed model can be retrieved; an unknown one is 404."""
    first = page(api)["data"][0]
    assert api.client.get(f"/v1/models/{first['id']}").json() == first
    answer = api.client.get("/v1/models/metaio-no-such-model")
    assert answer.status_code == 404
    assert answer.json()["error"]["type"] == "not_found_error"


def test_each_listed_model_answers(api: Api) -> None:
    """What is listed can be used, under its own name."""
    for model in ids(page(api)):
        assert api.message(model=model)["model"] == model
    answer = api.post(valid(model="no-such-model"))
    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == "model: no-such-model"

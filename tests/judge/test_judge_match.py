from __future__ import annotations

from typing import Any

import jsonpath_rfc9535
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaio_verify.judge.match import check_matcher, deviations
from metaio_verify.judge.path import compile_path
from metaio_verify.judge.wording import described, short, shown_path

SCHEMAS: dict[str, dict[str, Any]] = {
    "usage": {"type": "object", "required": ["input_tokens"]},
    "message": {"type": "object", "properties": {"usage": {"$ref": "usage"}}},
}
VALUES = {"token": "VERIFY-A.B+C", "model": "m"}


def found(matcher: Any, value: Any) -> list[tuple[str, str, str]]:
    """Deviations as path, expected, actual."""
    return [
        (shown_path(one.location), one.expected, one.actual)
        for one in deviations(matcher, value, SCHEMAS, VALUES)
    ]


@pytest.mark.parametrize(
    ("matcher", "value"),
    [
        (1, 1),
        (1, 1.0),
        ("a", "a"),
        (None, None),
        ([], []),
        ([1, "a"], [1, "a"]),
        ({"type": "integer"}, 3),
        ({"const": {"a": 1}}, {"a": 1}),
        ({"pattern": "b"}, "abc"),
        ({"$ref": "message"}, {"usage": {"input_tokens": 1}}),
        ("${token}", "VERIFY-A.B+C"),
        ({"pattern": "^${token}$"}, "VERIFY-A.B+C"),
        ({"const": "${model}"}, "m"),
        ({"anyOf": [{"pattern": "${token}"}, {"const": "x"}]}, "-VERIFY-A.B+C-"),
        ("$${model}", "${model}"),
        ("${unknown}", "${unknown}"),
    ],
)
def test_what_matches(matcher: Any, value: Any) -> None:
    """Equality for scalars and lists, JSON Schema for mappings, values for references."""
    assert found(matcher, value) == []


@pytest.mark.parametrize(
    ("matcher", "value", "path", "expected", "actual"),
    [
        (1, True, "$", "1", "true"),
        ("a", None, "$", '"a"', "null"),
        ([1], [True], "$", "[1]", "[true]"),
        ({"type": "integer"}, "3", "$", "an integer", '"3"'),
        ({"type": "string"}, None, "$", "a string", "null"),
        ({"minimum": 1}, 0, "$", "at least 1", "0"),
        ({"const": "a"}, "b", "$", '"a"', '"b"'),
        ({"enum": ["a", None]}, "b", "$", 'one of "a", null', '"b"'),
        ({"pattern": "^m"}, "x", "$", "text matching /^m/", '"x"'),
        ({"pattern": "${model}"}, "x", "$", "text matching /m/", '"x"'),
        ({"not": {"pattern": "x"}}, "x", "$", "not text matching /x/", '"x"'),
        ({"required": ["a"]}, {}, "$.a", "a value", "missing"),
        ({"additionalProperties": False}, {"z": 1}, "$", "no further fields", '{"z": 1}'),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, 1, "$", "a string or null", "1"),
        ({"minItems": 1}, [], "$", "a length of at least 1", "[]"),
        ({"format": "date-time"}, "x", "$", "a date-time", '"x"'),
        ({"items": {"type": "string"}}, ["a", 1], "$[1]", "a string", "1"),
        ({"$ref": "message"}, {"usage": {}}, "$.usage.input_tokens", "a value", "missing"),
    ],
)
def test_what_deviates(matcher: Any, value: Any, path: str, expected: str, actual: str) -> None:
    """A deviation says where, what was expected and what came."""
    assert found(matcher, value) == [(path, expected, actual)]


@pytest.mark.parametrize("name", ["6", "06", "+6"])
def test_a_field_may_have_a_number_as_its_name(name: str) -> None:
    """It is found again, and what is wrong with it is told."""
    matcher = {"type": "object", "additionalProperties": {"items": {"type": "string"}}}
    ((path, expected, actual),) = found(matcher, {"a": ["x"], name: ["x", 1]})
    assert (path, expected, actual) == (shown_path((name, 1)), "a string", "1")


@pytest.mark.parametrize(
    "uri", ["http://127.0.0.1:9/x", "file:///etc/passwd", "nowhere", "schema:///nowhere"]
)
def test_only_schemas_of_the_suite_can_be_referred_to(uri: str) -> None:
    """No reference makes the judge open a connection or a file."""
    with pytest.raises(ValueError, match="is not a schema of this suite"):
        check_matcher({"$ref": uri}, SCHEMAS)


@pytest.mark.parametrize("matcher", [{"type": "text"}, {"pattern": "("}, {"minimum": "1"}])
def test_a_mapping_has_to_be_a_schema(matcher: Any) -> None:
    """What is no JSON Schema is found before it judges anything."""
    with pytest.raises(ValueError, match=r"."):
        check_matcher(matcher, SCHEMAS)


@pytest.mark.parametrize(
    ("matcher", "words"),
    [
        ("a", '"a"'),
        (True, "any value"),
        ({}, "any value"),
        ({"type": "integer", "minimum": 1}, "an integer, at least 1"),
        ({"type": "string", "const": "x"}, '"x"'),
        ({"type": ["string", "null"]}, "a string or null"),
        ({"contains": {"const": 1}, "title": "x"}, "an item that is 1"),
        ({"allOf": [{"minLength": 1}]}, "a length of at least 1"),
        ({"items": {"type": "string"}}, "each item a string"),
        ({"required": ["a", "b"]}, "with a, b"),
        ({"$ref": "usage"}, "a valid usage"),
        ({"if": True}, "if true"),
    ],
)
def test_a_matcher_is_described_in_words(matcher: Any, words: str) -> None:
    """The expected side of a finding is for persons."""
    assert described(matcher) == words


def test_evidence_is_quoted_short_and_harmless() -> None:
    """Long values are cut, and control characters cannot reach a terminal."""
    assert short("x" * 500) == "x" * 200 + "… (500 characters)"
    assert short("a\x1b[31m\u202eb\n") == "a\\x1b[31m\\u202eb\\n"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
SAMPLES = [
    {"type": "object", "required": ["a"], "additionalProperties": {"type": "string"}},
    {"anyOf": [{"type": "array", "items": {"minimum": 3}}, {"pattern": "a"}, {"const": None}]},
    {"type": "array", "uniqueItems": True, "contains": {"type": "object"}, "minItems": 2},
    {"propertyNames": {"pattern": "^a"}, "patternProperties": {"^a": {"enum": [1]}}},
    {"oneOf": [{"type": "integer"}, {"type": "number"}], "not": {"const": 1}},
]


@given(JSON, st.sampled_from(SAMPLES))
def test_any_value_is_matched(value: Any, schema: Any) -> None:
    """Every deviation of any value can be written down."""
    for where, expected, actual in found(schema, value):
        assert where.startswith("$")
        assert expected
        assert actual


DOCUMENT = {
    "a": {"b": [1, {"type": "x", "v": 1}, {"type": "y", "v": None}]},
    "type": "x",
    "it's": {"type": "x"},
    "": [],
}


@pytest.mark.parametrize(
    "path",
    [
        "$",
        "$.a",
        "$.a.b[0]",
        "$.a.b[-1].v",
        "$.a.b[9]",
        "$.a.b[*].v",
        "$.*",
        "$.a.*",
        "$['a']['b']",
        "$['type']",
        '$["it\'s"].type',
        "$.a.b[?@.type=='x']",
        '$.a.b[?@.type == "y"].v',
        "$[?@.type=='x']",
        "$.a[?@.type=='x']",
        "$.missing.b",
        "$.type.b",
        "$.type[0]",
        "$..v",
        "$..['v']",
        "$..['v', 'type']",
        "$..['type','missing' , 'b'][1].v",
        "$['type', 'a']",
        "$.a..[0]",
        "$.a.b[0:2]",
        "$.a.b[?@.v]",
        "$.a.b[?@.type!='x'].v",
        "$.a.b[?search(@.type, 'x|y')].v",
    ],
)
def test_paths_select_what_the_standard_says(path: str) -> None:
    """The plain paths that are read here select what the library selects."""
    selected = [(node.location, node.value) for node in compile_path(path)(DOCUMENT)]
    assert selected == [(n.location, n.value) for n in jsonpath_rfc9535.find(path, DOCUMENT)]


@pytest.mark.parametrize("path", ["", "a", "$.", "$[", "$.a[", "$['a", "$.a[?@.b=='x'", "$[01]"])
def test_what_is_no_path(path: str) -> None:
    """A mistake in a path is a ValueError that says what is wrong."""
    with pytest.raises(ValueError, match=r"."):
        compile_path(path)


def test_paths_are_shown_in_one_notation() -> None:
    """Names stand behind dots where they can, and in brackets otherwise."""
    assert shown_path(("content", 0, "it's", "")) == "$.content[0]['it\\'s']['']"

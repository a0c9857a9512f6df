"""What a translating gateway said to its upstream, and what that answered, in neutral words.

Both OpenAI dialects are read into the same few values, so that the rules need not know them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct, field

from metaio_verify.judge.document import NotJSONError, decode
from metaio_verify.judge.pair import Pair, walk
from metaio_verify.record import Dialect


class Call(Struct):
    """One call of a tool."""

    id: str
    name: str
    arguments: str = ""

    @property
    def input(self) -> Any:
        """The decoded arguments; the text where they are no JSON."""
        try:
            return decode(self.arguments or "{}")
        except NotJSONError:
            return self.arguments


class Asked(Struct):
    """A request in an OpenAI dialect."""

    said: list[tuple[str, str]] = field(default_factory=list)
    """Role and text, in order; `instructions` are the system's."""
    calls: list[Call] = field(default_factory=list)
    results: dict[str, str] = field(default_factory=dict)
    """Id of a call → the text of its result."""
    result_items: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Id of a call → the message or item that its result stands in."""
    tools: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Name → `description` and `parameters`."""
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def everything(self) -> str:
        """All texts of the body, joined: what is not in there was not sent."""
        return "\n".join(value for value in walk(self.body) if isinstance(value, str))

    def value(self, *names: str) -> Any:
        """Return the first of these fields that the body has."""
        return next((self.body[name] for name in names if self.body.get(name) is not None), None)


def asked(pair: Pair) -> Asked:
    """Read the request that arrived upstream."""
    body = pair.arrived if isinstance(pair.arrived, dict) else {}
    found = Asked(body=body)
    if isinstance(body.get("instructions"), str):
        found.said.append(("system", body["instructions"]))
    items = body.get("messages", body.get("input"))
    if isinstance(items, str):
        items = [{"role": "user", "content": items}]
    for item in _objects(items):
        _item(found, item)
    for tool in _objects(body.get("tools")):
        function = tool.get("function", tool)
        if isinstance(function, dict):
            found.tools[str(function.get("name"))] = function
    return found


def _item(found: Asked, item: dict[str, Any]) -> None:
    """Read one message, or one item of an input."""
    text = "\n".join(_texts(item.get("content")))
    match item:
        case {"role": "tool", "tool_call_id": id_}:
            found.results[str(id_)] = text
            found.result_items[str(id_)] = item
        case {"type": "function_call_output", "call_id": id_}:
            found.results[str(id_)] = "\n".join(_texts(item.get("output")))
            found.result_items[str(id_)] = item
        case {"type": "function_call", "name": name}:
            call = Call(str(item.get("call_id")), str(name), str(item.get("arguments") or ""))
            found.calls.append(call)
        case {"role": role}:
            found.said.append((str(role), text))
            found.calls += map(_chat_call, _objects(item.get("tool_calls")))


def _chat_call(call: dict[str, Any]) -> Call:
    function = call.get("function")
    function = function if isinstance(function, dict) else {}
    arguments = function.get("arguments")
    return Call(str(call.get("id")), str(function.get("name")), str(arguments or ""))


def _objects(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a list; nothing of what is none."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _texts(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    for part in content if isinstance(content, list) else []:
        if isinstance(part, dict) and isinstance(part.get("text"), str):
            yield part["text"]


class Told(Struct):
    """An answer in an OpenAI dialect."""

    text: str = ""
    thoughts: str = ""
    refusal: str = ""
    calls: list[Call] = field(default_factory=list)
    finish: str = ""
    """As chat completions name it: `stop`, `length`, `tool_calls`, `content_filter`."""
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    error: str = ""
    """The text of an error, before a stream or within it."""


def told(pair: Pair) -> Told:
    """Read what the upstream played."""
    documents = [data for data in pair.played_stream.documents if isinstance(data, dict)]
    if not documents and isinstance(pair.played, dict):
        documents = [pair.played]
    found = Told()
    for data in documents:
        if pair.forwarded.dialect is Dialect.CHAT:
            _chat(found, data)
        else:
            _responses(found, data)
    return found


def _chat(found: Told, data: dict[str, Any]) -> None:
    if isinstance(data.get("error"), dict):
        found.error = str(data["error"].get("message"))
    for choice in data.get("choices", []):
        part = choice.get("delta") or choice.get("message") or {}
        found.text += part.get("content") or ""
        found.thoughts += part.get("reasoning_content") or ""
        found.refusal += part.get("refusal") or ""
        found.finish = choice.get("finish_reason") or found.finish
        for call in part.get("tool_calls", []):
            function = call["function"]
            if call.get("id"):
                found.calls.append(Call(call["id"], function["name"]))
            found.calls[call.get("index", -1)].arguments += function.get("arguments") or ""
    if usage := data.get("usage"):
        found.prompt_tokens = usage["prompt_tokens"]
        found.output_tokens = usage["completion_tokens"]


def _responses(found: Told, data: dict[str, Any]) -> None:
    if isinstance(data.get("error"), dict):
        found.error = str(data["error"].get("message"))
    if data.get("type") == "error":
        found.error = str(data.get("message"))
    if str(data.get("type")).endswith("output_text.delta"):
        found.text += data["delta"]
    response = data.get("response", data)
    if not response.get("output"):
        return
    found.text = found.thoughts = ""
    for item in response["output"]:
        for part in item.get("content") or []:
            found.text += part.get("text") or ""
            found.refusal = part.get("refusal") or found.refusal
        found.thoughts += "".join(part["text"] for part in item.get("summary") or [])
        if item["type"] == "function_call":
            found.calls.append(Call(item["call_id"], item["name"], item["arguments"]))
    found.finish = "tool_calls" if found.calls else "stop"
    if response.get("status") == "incomplete":
        found.finish = "length"
    if usage := response.get("usage"):
        found.prompt_tokens, found.output_tokens = usage["input_tokens"], usage["output_tokens"]

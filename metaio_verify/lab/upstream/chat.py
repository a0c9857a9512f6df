"""The upstream as OpenAI chat completions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from metaio_verify.lab.stream import events_of
from metaio_verify.lab.types import Answer, Event, HeaderLines
from metaio_verify.lab.upstream.scripts import Failure, JsonObject, Script

FINISH: Final = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
ERROR_TYPES: Final = {
    400: ("invalid_request_error", "context_length_exceeded"),
    404: ("invalid_request_error", "model_not_found"),
    413: ("invalid_request_error", None),
    429: ("requests", "rate_limit_exceeded"),
    500: ("server_error", None),
    529: ("server_error", None),
}
_CREATED: Final = 1795000000


def headers(token: str) -> HeaderLines:
    """Return what every answer carries."""
    return [
        ("x-request-id", f"req_{token.removeprefix('VERIFY-').lower()}"),
        ("x-ratelimit-limit-requests", "4000"),
        ("x-ratelimit-remaining-requests", "3999"),
    ]


def plain(_script: Script, message: JsonObject) -> JsonObject:
    """Return the message as a chat completion."""
    content = message["content"]
    texts = [block["text"] for block in content if block["type"] == "text"]
    told: JsonObject = {"role": "assistant", "content": "".join(texts) if texts else None}
    refused = message["stop_reason"] == "refusal"
    told["refusal"] = message["stop_details"]["explanation"] if refused else None
    thoughts = [block["thinking"] for block in content if block["type"] == "thinking"]
    if thoughts:
        told["reasoning_content"] = "".join(thoughts)
    calls = [_call(block) for block in content if block["type"] == "tool_use"]
    if calls:
        told["tool_calls"] = calls
    choice = {
        "index": 0,
        "message": told,
        "logprobs": None,
        "finish_reason": FINISH.get(message["stop_reason"], "stop"),
    }
    return {
        "id": message["id"].replace("msg_01", "chatcmpl-"),
        "object": "chat.completion",
        "created": _CREATED,
        "model": message["model"],
        "choices": [choice],
        "usage": usage(message),
    }


def usage(message: JsonObject) -> JsonObject:
    """Return the usage; here the cached tokens are a part of the prompt."""
    spent = message["usage"]
    cached = spent.get("cache_read_input_tokens") or 0
    prompt = spent["input_tokens"] + cached + (spent.get("cache_creation_input_tokens") or 0)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": spent["output_tokens"],
        "total_tokens": prompt + spent["output_tokens"],
        "prompt_tokens_details": {"cached_tokens": cached},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }


def _call(block: JsonObject) -> JsonObject:
    arguments = msgspec.json.encode(block["input"]).decode()
    function = {"name": block["name"], "arguments": arguments}
    return {"id": call_id(block), "type": "function", "function": function}


def call_id(block: JsonObject) -> str:
    """Return the id of a call, as this API writes it."""
    return str(block["id"]).replace("toolu_01", "call_")


def events(_script: Script, message: JsonObject, request: Any) -> list[Event]:
    """Return the message as a stream of chunks."""
    head = {
        "id": message["id"].replace("msg_01", "chatcmpl-"),
        "object": "chat.completion.chunk",
        "created": _CREATED,
        "model": message["model"],
    }
    finish = FINISH.get(message["stop_reason"], "stop")
    deltas = [
        ({"role": "assistant", "content": "", "refusal": None}, None),
        *((delta, None) for delta in _deltas(message)),
        ({}, finish),
    ]
    told = [
        Event(None, {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})
        for delta, reason in deltas
    ]
    options = request.get("stream_options") if isinstance(request, dict) else None
    if isinstance(options, dict) and options.get("include_usage"):
        told.append(Event(None, {**head, "choices": [], "usage": usage(message)}))
    return [*told, Event(None, "[DONE]")]


def _deltas(message: JsonObject) -> Iterator[JsonObject]:
    if message["stop_reason"] == "refusal":
        yield {"refusal": message["stop_details"]["explanation"]}
    numbers: dict[int, int] = {}
    for event in events_of(message):
        data = event.data
        match data:
            case {"content_block": {"type": "tool_use"} as block, "index": int(index)}:
                numbers[index] = len(numbers)
                function = {"name": block["name"], "arguments": ""}
                call = {"index": numbers[index], "id": call_id(block), "type": "function"}
                yield {"tool_calls": [{**call, "function": function}]}
            case {"delta": {"text": str(text)}}:
                yield {"content": text}
            case {"delta": {"thinking": str(text)}}:
                yield {"reasoning_content": text}
            case {"delta": {"partial_json": str(text)}, "index": int(index)} if text:
                function = {"arguments": text}
                yield {"tool_calls": [{"index": numbers[index], "function": function}]}


def is_delta(event: Event) -> bool:
    """Whether a chunk brings something of the answer."""
    match event.data:
        case {"choices": [{"delta": {"content": str(text)}}]}:
            return bool(text)
        case {"choices": [{"delta": {"tool_calls": [*_]} | {"reasoning_content": str()}}]}:
            return True
    return False


def ping() -> Event | None:
    """Return none: this API sends nothing while it is silent."""
    return None


def failed(failure: Failure, token: str) -> Event:
    """Return the error within a stream."""
    return Event(None, _envelope(failure, token))


def error(failure: Failure, token: str) -> Answer:
    """Return an error before any stream."""
    status = 503 if failure.status == 529 else failure.status
    answer = Answer.of_json(_envelope(failure, token), status)
    answer.headers += [*failure.headers, *headers(token)]
    return answer


def _envelope(failure: Failure, token: str) -> JsonObject:
    kind, code = ERROR_TYPES.get(failure.status, ("server_error", None))
    text = failure.message.replace("{token}", token)
    return {"error": {"message": text, "type": kind, "param": None, "code": code}}

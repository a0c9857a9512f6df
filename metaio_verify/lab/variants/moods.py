"""Variants of what the model says: legal answers of a model that does not do what it is asked."""

from __future__ import annotations

from metaio_verify.lab import tokens, variant
from metaio_verify.lab.prompt import JsonObject, choice_of_tools, output_schema, text_of, turns
from metaio_verify.lab.types import Request

_PLAINLY = "reply with exactly"
_FEW_WORDS = 3


def _saying(message: JsonObject, text: str, reason: str = "end_turn") -> JsonObject:
    """Return the message with other words, counted honestly, and without a call."""
    kept = [block for block in message["content"] if block["type"] == "thinking"]
    content = [*kept, {"type": "text", "text": text}] if text else kept
    written = tokens.length(text) + message["usage"]["output_tokens_details"]["thinking_tokens"]
    usage = {**message["usage"], "output_tokens": max(1, written)}
    end = {"stop_reason": reason, "stop_sequence": None}
    return {**message, "content": content, "usage": usage, **end}


def _limit(request: Request) -> int:
    limit = request.json.get("max_tokens")
    return limit if isinstance(limit, int) else 1024


def _ends_by_itself(request: Request, text: str) -> bool:
    """Whether nothing but the model's own will can have ended an answer of these words."""
    sequences = request.json.get("stop_sequences") or []
    return tokens.length(text) <= _limit(request) and not any(one in text for one in sequences)


def _is_bound(request: Request) -> bool:
    """Whether the endpoint, and not the model, decides on the form of the answer."""
    forced = choice_of_tools(request.json)[0] in ("any", "tool")
    return forced or output_schema(request.json) is not None


def _refused(message: JsonObject, text: str) -> JsonObject:
    details = {"type": "refusal", "category": None, "explanation": "This was declined."}
    return {**_saying(message, text, "refusal"), "stop_details": details}


@variant.message
def model_refuses(message: JsonObject, _request: Request) -> JsonObject:
    """The model refuses everything, without a word."""
    return _refused({**message, "content": []}, "")


@variant.message
def model_refuses_in_words(message: JsonObject, request: Request) -> JsonObject:
    """The model refuses everything and says so."""
    text = "I cannot help with that."
    fits = _ends_by_itself(request, text)
    return _refused({**message, "content": []}, text if fits else "")


@variant.message
def model_unwilling(message: JsonObject, request: Request) -> JsonObject:
    """Whatever it is asked, the model speaks of something else."""
    text = "Let us speak of the sea."
    if _is_bound(request) or not _ends_by_itself(request, text):
        return message
    return _saying(message, text)


@variant.message
def model_obeys_the_plain_sentence_only(message: JsonObject, request: Request) -> JsonObject:
    """Without tools the model does what one plain sentence asks for, and is lost otherwise."""
    said = turns(request.json)
    text = "Yes."
    is_plain = len(said) == 1 and _PLAINLY in text_of(said[0].blocks).lower()
    if is_plain or request.json.get("tools") or _is_bound(request):
        return message
    if not _ends_by_itself(request, text):
        return message
    return _saying(message, text)


@variant.message
def model_is_brief(message: JsonObject, request: Request) -> JsonObject:
    """Where a long answer is asked for, the model gives a short one."""
    texts = [block["text"] for block in message["content"] if block["type"] == "text"]
    words = " ".join(texts).split()
    text = "1 to 9." if words[:1] == ["1"] else "Ask me again, gladly."
    is_long = len(words) > _FEW_WORDS or message["stop_reason"] == "max_tokens"
    calls = any(block["type"] == "tool_use" for block in message["content"])
    verbatim = "VERIFY-" in " ".join(texts) or not texts
    if calls or verbatim or not is_long or not _ends_by_itself(request, text):
        return message
    return _saying(message, text)


@variant.message
def model_adds_words(message: JsonObject, request: Request) -> JsonObject:
    """The model puts quotation marks around what it repeats, and a word before and after it."""
    texts = [block["text"] for block in message["content"] if block["type"] == "text"]
    said = " ".join(texts)
    text = f'Sure: "{said}" – done.'
    complete = message["stop_reason"] == "end_turn" and "VERIFY-" in said
    if not complete or "{" in said or not _ends_by_itself(request, text):
        return message
    return _saying(message, text)


def _last_results(request: Request) -> list[JsonObject]:
    """Return the tool results that the model has to go on with."""
    said = turns(request.json)
    last = said[-1].blocks if said else []
    return [block for block in last if block.get("type") == "tool_result"]


@variant.message
def model_ignores_tool_results(message: JsonObject, request: Request) -> JsonObject:
    """The model calls tools and does not read what they return."""
    fits = _last_results(request) and _ends_by_itself(request, "Yes.")
    return _saying(message, "Yes.") if fits else message


@variant.message
def model_reads_plain_results_only(message: JsonObject, request: Request) -> JsonObject:
    """The model makes nothing of tool results in blocks, though they reach it."""
    blocks = any(isinstance(one.get("content"), list) for one in _last_results(request))
    fits = blocks and _ends_by_itself(request, "Yes.")
    return _saying(message, "Yes.") if fits else message


def _without_arguments(message: JsonObject, request: Request) -> JsonObject:
    """Return the message with empty calls, except of tools whose schema the endpoint enforces."""
    strict = {tool.get("name") for tool in request.json.get("tools") or [] if tool.get("strict")}
    content = [
        {**block, "input": {}}
        if block["type"] == "tool_use" and block["name"] not in strict
        else block
        for block in message["content"]
    ]
    return {**message, "content": content}


@variant.message
def model_calls_without_arguments(message: JsonObject, request: Request) -> JsonObject:
    """The model gives its calls no arguments."""
    return _without_arguments(message, request)


@variant.message
def model_forgets_arguments(message: JsonObject, request: Request) -> JsonObject:
    """The model gives one of its calls, in a stream, no arguments."""
    calls = [block["name"] for block in message["content"] if block["type"] == "tool_use"]
    if not request.wants_stream or calls != ["find_station"]:
        return message
    return _without_arguments(message, request)

"""The lab: a small, strict, conforming Anthropic endpoint as an ASGI application.

A request runs through these stages, and a change (a variant or a fault) can act at each of them:

    request → (refusal) → body → message → events → wire → answer

Nothing is kept between requests but the prompt cache and what changes remember.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from metaio_verify.lab import asgi, auth, catalogue, tokens, validate
from metaio_verify.lab.asgi import MAX_BODY_BYTES, Receive, Scope, Send
from metaio_verify.lab.cache import PromptCache
from metaio_verify.lab.catalogue import MODELS, Model
from metaio_verify.lab.change import Stage, by_stage
from metaio_verify.lab.faults import FAULTS
from metaio_verify.lab.message import compose, new_id
from metaio_verify.lab.shape import Problems
from metaio_verify.lab.stream import events_of
from metaio_verify.lab.types import Answer, ApiError, Piece, Request
from metaio_verify.lab.variants import VARIANTS

DEFAULT_KEY = "sk-lab-metaio-verify-2f9c1e7a"

_ROUTES: dict[str, tuple[str, ...]] = {
    "/v1/messages": ("POST",),
    "/v1/messages/count_tokens": ("POST",),
    "/v1/models": ("GET",),
    "/": ("GET", "HEAD"),
    "/api/hello": ("GET", "HEAD"),
}
_MODEL_PREFIX = "/v1/models/"


class _Refused(Exception):  # noqa: N818  it carries an answer, it is no error of the lab
    """Ends the handling of a request with the answer that it carries."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer


class Lab:
    """One endpoint: its key, its models, how it differs from the clean one.

    `faults` break the contract, `variants` stay inside it; at each stage the variants act first.
    `prefix` is the path that the lab lives below. `latency` delays the first byte of each answer,
    in seconds. `crashes` collects the exceptions of the lab itself; it stays empty unless the lab
    or a change is broken.
    """

    def __init__(
        self,
        key: str = DEFAULT_KEY,
        *,
        models: tuple[Model, ...] = MODELS,
        faults: Collection[str] = (),
        variants: Collection[str] = (),
        latency: float = 0.0,
        prefix: str = "",
    ) -> None:
        self.key = key
        self.models = models
        self.latency = latency
        self.prefix = prefix
        self.crashes: list[Exception] = []
        self.variants = frozenset(variants)
        self._changes = by_stage([*VARIANTS.chosen(variants), *FAULTS.chosen(faults)])
        self._cache = PromptCache()
        self._memory: dict[str, Any] = {}

    def published(self, url: str) -> str:
        """Return what users are told when the lab is served at this base URL."""
        for change in self._changes[Stage.ADDRESS]:
            url = change(url)
        return url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        body = await asgi.read(receive)
        if body is None:
            return
        answer = self.reply(scope, body)
        if self.latency + answer.delay:
            await asyncio.sleep(self.latency + answer.delay)
        await asgi.write(answer, receive, send)

    def reply(self, scope: Scope, body: bytes) -> Answer:
        """Return the finished answer to a request."""
        return self._answer(self._request(scope, body), new_id("req"))

    def _request(self, scope: Scope, body: bytes) -> Request:
        query: dict[str, str] = {}
        for name, value in parse_qsl(scope["query_string"].decode("latin-1"), errors="replace"):
            query[name] = f"{query[name]},{value}" if name in query else value
        path = scope["path"]
        below = path.removeprefix(self.prefix) if path.startswith(self.prefix) else ""
        return Request(
            scope["method"],
            below,
            query,
            [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]],
            body,
            self._memory,
            self.key,
        )

    def _answer(self, request: Request, request_id: str) -> Answer:
        """Return the finished answer to any request."""
        try:
            answer = self._handle(request, request_id)
        except _Refused as refused:
            answer = refused.answer
        except Exception as crash:  # noqa: BLE001  no exception of the lab reaches a client
            self.crashes.append(crash)
            error = ApiError(500, "Internal server error", rule="lab.crash")
            answer = error.answer(request_id)
        own = [("request-id", request_id), ("cache-control", "no-store")]
        answer = replace(answer, headers=[*answer.headers, *own])
        for change in self._changes[Stage.ANSWER]:
            answer = change(answer, request)
        return answer

    def _handle(self, request: Request, request_id: str) -> Answer:
        for change in self._changes[Stage.REQUEST]:
            changed = change(request)
            if isinstance(changed, ApiError):
                return changed.answer(request_id)
            if isinstance(changed, Answer):
                return changed
            request = changed

        def refuse(refusals: Iterable[ApiError | None]) -> None:
            """Raise the answer to the first refusal that no change lets pass."""
            for refusal in refusals:
                if refusal is not None and (answer := self._refusal(refusal, request, request_id)):
                    raise _Refused(answer)

        refuse([_problem_of_route(request)])
        match request.path:
            case "/" | "/api/hello":
                return Answer.of_json({"message": "hello"})
            case "/v1/messages" | "/v1/messages/count_tokens":
                return self._inference(request, refuse)
            case _:
                return self._models(request, refuse)

    def _refusal(self, refusal: ApiError, request: Request, request_id: str) -> Answer | None:
        """Return how a refusal is answered; None when a change lets the request pass."""
        for change in self._changes[Stage.REFUSAL]:
            changed = change(refusal, request)
            if not isinstance(changed, ApiError):
                return changed  # type: ignore[no-any-return]  # a change's type, checked where it is declared
            refusal = changed
        answer = refusal.answer(request_id)
        if refusal.rule == "credential.invalid":
            answer.headers.append(("x-should-retry", "false"))
        if refusal.rule == "method.wrong":
            answer.headers.append(("allow", ", ".join(_methods(request.path) or ())))
        return answer

    def _models(
        self, request: Request, refuse: Callable[[Iterable[ApiError | None]], None]
    ) -> Answer:
        refuse([auth.problem_of_credential(request, self.key), auth.problem_of_version(request)])
        if request.is_models:
            problems = Problems()
            page = catalogue.page(self.models, request, problems)
            refuse(problems)
            return Answer.of_json(page)
        wanted = request.path.removeprefix(_MODEL_PREFIX)
        model = self._model(wanted)
        refuse([_unknown_model(wanted)] if model is None else [])
        return Answer.of_json((model or self.models[0]).entry())

    def _inference(
        self, request: Request, refuse: Callable[[Iterable[ApiError | None]], None]
    ) -> Answer:
        """Answer `/v1/messages` and `/v1/messages/count_tokens`."""
        refuse([auth.problem_of_credential(request, self.key), auth.problem_of_version(request)])
        body, problem = _decoded(request)
        refuse([problem])
        version = request.header("anthropic-version") or ""
        betas = request.header("anthropic-beta") or ""
        try:
            refuse(
                validate.problems_of_messages(body, version, betas, self.key)
                if request.is_messages
                else validate.problems_of_count(body, version, self.key)
            )
        except RecursionError:
            refuse([ApiError(400, "The request body is nested too deeply.", rule="body.syntax")])
        model = self._model(body.get("model"))
        refuse([_unknown_model(body.get("model"))] if model is None else [])
        window = (model or self.models[0]).max_input_tokens
        for change in self._changes[Stage.BODY]:
            changed = change(body, request)
            if isinstance(changed, ApiError):
                refuse([changed])
            else:
                body = changed
        prompt = tokens.segments(body)
        size = sum(segment.tokens for segment in prompt)
        if not request.is_messages:
            return Answer.of_json(_count(body, size))
        refuse([_too_many_output_tokens(body), _too_long(size, window)])
        message = compose(body, self._cache.use(prompt, body), window, self.key)
        return self._message(request, body, message)

    def _message(self, request: Request, body: dict[str, Any], message: dict[str, Any]) -> Answer:
        """Return a message in the form that the body asks for."""
        for change in self._changes[Stage.MESSAGE]:
            message = change(message, request)
        if body.get("stream") is not True:
            return Answer.of_json(message)
        events = events_of(message)
        for change in self._changes[Stage.EVENTS]:
            events = change(events, request)
        pieces: list[Piece] = [event.encode() for event in events]
        for change in self._changes[Stage.WIRE]:
            pieces = change(pieces, request)
        head = [("content-type", "text/event-stream; charset=utf-8")]
        return Answer(200, head, stream=pieces)

    def _model(self, wanted: Any) -> Model | None:
        return next((model for model in self.models if model.id == wanted), None)


def _methods(path: str) -> tuple[str, ...] | None:
    """Return the methods of a path; None when there is no such path."""
    if path.startswith(_MODEL_PREFIX) and path != _MODEL_PREFIX:
        return ("GET",)
    return _ROUTES.get(path)


def _problem_of_route(request: Request) -> ApiError | None:
    methods = _methods(request.path)
    if methods is None:
        return ApiError(404, "Not found", rule="path.unknown")
    if request.method not in methods:
        return ApiError(405, "Method Not Allowed", rule="method.wrong")
    return None


def _decoded(request: Request) -> tuple[dict[str, Any], ApiError | None]:
    """Return the body as an object, and what is wrong with it."""
    body = request.body
    if len(body) > MAX_BODY_BYTES:
        return {}, ApiError(
            413, "Request exceeds the maximum allowed number of bytes.", rule="body.size"
        )
    if not body.strip():
        return {}, ApiError(
            400, "The request body is not valid JSON: it is empty", rule="body.empty"
        )
    try:
        value = msgspec.json.decode(body)
    except (ValueError, RecursionError) as error:
        text = f"The request body is not valid JSON: {error}"
        return {}, ApiError(400, text, rule="body.syntax")
    if not isinstance(value, dict):
        return {}, ApiError(400, "Input should be a valid dictionary", rule="body.type")
    return value, None


def _unknown_model(name: Any) -> ApiError:
    return ApiError(404, f"model: {name}", rule="model.unknown")


def _too_many_output_tokens(body: dict[str, Any]) -> ApiError | None:
    asked, most = body.get("max_tokens"), catalogue.MAX_OUTPUT_TOKENS
    if not isinstance(asked, int) or asked <= most:
        return None
    return ApiError(
        400,
        f"max_tokens: {asked} > {most}, which is the maximum allowed number of output tokens for "
        f"{body.get('model')}",
        rule="max_tokens.limit",
    )


def _too_long(size: int, window: int) -> ApiError | None:
    if size <= window:
        return None
    return ApiError(
        400, f"prompt is too long: {size} tokens > {window} maximum", rule="prompt.too-long"
    )


def _count(body: dict[str, Any], size: int) -> dict[str, Any]:
    answer: dict[str, Any] = {"input_tokens": size}
    if body.get("context_management"):
        answer["context_management"] = {"original_input_tokens": size}
    return answer

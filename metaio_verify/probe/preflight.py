"""What has to be known before a suite can run: the base URL, the credential style, the models."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from metaio_verify.judge.document import NotJSONError, decode
from metaio_verify.judge.wording import short
from metaio_verify.probe import hints
from metaio_verify.probe.auth import STYLES
from metaio_verify.probe.engine import Engine
from metaio_verify.probe.fire import Wire
from metaio_verify.probe.target import BaseUrl
from metaio_verify.record import Exchange, Stop
from metaio_verify.suite.model import Auth, Probe

HELLO = {Auth.X_API_KEY: "hello-x-api-key", Auth.BEARER: "hello-bearer"}
"""The probes that try one credential style each."""

LISTING = "models-list"
"""The probe that asks for the models."""

ALL = "all"
"""As a model: every one that discovery lists."""

_UNAUTHORIZED = 401
_PROXY_REFUSES = 407

_MOST_PAGES = 50
"""How many pages of models are read for `all`."""

_MODELS_TRIED = 5
"""How many listed models are tried when the user names none."""


def openers(asked: Sequence[str]) -> tuple[str, ...]:
    """The probes that the preflight fires at most, for the models that the user named."""
    listing = (LISTING,) if not asked or ALL in asked else ()
    return (*listing, *HELLO.values())


class Findings(Struct, frozen=True):
    """What the preflight found out."""

    base: BaseUrl
    style: Auth
    styles: Mapping[str, bool | None]
    models: tuple[str, ...]
    evidence: Mapping[str, Sequence[Exchange]]
    """Probe id → its exchanges, for the probes that need not be fired again."""
    notices: tuple[str, ...] = ()
    stop: Stop | None = None


class Preflight(Struct):
    """Finds out what a run needs to know with as few requests as possible."""

    engine: Engine
    wire: Wire
    probes: Mapping[str, Probe]
    wanted: frozenset[str]
    """Probes that the selection fires anyway, so that their answers are never asked for twice."""
    styles: Sequence[Auth]
    asked: Sequence[str]
    """The models that the user named."""
    notices: list[str] = field(default_factory=list)
    evidence: dict[str, list[Exchange]] = field(default_factory=dict)
    _listings: dict[Auth, Exchange] = field(default_factory=dict)
    """Discovery's last answer to each style."""

    async def run(self) -> Findings:
        """Ask the endpoint; the base URL and style of the wire are set on the way."""
        given = self.wire.base
        found = await self._at_base()
        better = given.without_mistake()
        if better is not None and not any(map(_works, self._answers())):
            missing, first = _nothing_there(self._answers()), self.evidence
            self.wire.base, self.evidence = better, {}
            second = await self._at_base()
            # Some gateways answer 403 for every path that they do not know.
            if any(map(_works, self._answers())) or (
                missing and not _nothing_there(self._answers())
            ):
                found = second
                self.notices.append(hints.corrected(str(given), str(better)))
            else:
                self.wire.base, self.evidence = given, first
        elif better is None and _nothing_there(self._answers()):
            await self._suggest_prefix(given)
        self._notice_redirects()
        if not (self.notices or found.stop or any(map(_works, self._answers()))):
            self.notices.append(hints.nothing_works(self._answers()[0]))
        return replace(
            found, base=self.wire.base, evidence=self.evidence, notices=tuple(self.notices)
        )

    async def _at_base(self) -> Findings:
        """Everything below the base URL that the wire has now."""
        listed: tuple[str, ...] = ()
        if not self.asked or ALL in self.asked:
            listed = await self._list()
            if unreachable := self._unreachable():
                return self._found((), unreachable)
        candidates = self._candidates(listed)
        if not candidates:
            answer = self.evidence[LISTING][-1]
            # A 403 may be about the list alone; whether messages are served cannot be tried
            # without a model.
            refused = self._refused() if _status(answer) == _UNAUTHORIZED else None
            return self._found((), refused or hints.no_model(answer))
        unnamed = not self.asked
        for model in candidates[:_MODELS_TRIED] if unnamed else candidates[:1]:
            await self._greet(model)
            if not (unnamed and self._model_refused(model)):
                break
        models = (model,) if unnamed else candidates
        if not listed and self._model_refused(models[0]):
            listed = await self._list()
        return self._found(models, self._stop(models, listed))

    def _candidates(self, listed: Sequence[str]) -> tuple[str, ...]:
        if not self.asked or ALL in self.asked:
            named = [model for model in self.asked if model != ALL]
            return tuple(dict.fromkeys([*named, *listed]))
        return tuple(dict.fromkeys(self.asked))

    async def _list(self) -> tuple[str, ...]:
        """The models that discovery lists, asked for with the first credential that is taken."""
        probe = self.probes[LISTING]
        exchanges: list[Exchange] = []
        for style in self.styles:
            self.wire.style = style
            exchanges = await self.engine.probe(probe, None, "")
            self._listings[style] = exchanges[-1]
            if not _refuses(exchanges[-1]):
                break
        self.evidence[LISTING] = exchanges
        listed = dict.fromkeys(listed_ids(exchanges[-1]))
        if ALL in self.asked:
            listed |= dict.fromkeys(await self._further_pages(exchanges[-1], listed))
        return tuple(listed)

    async def _further_pages(self, page: Exchange, known: Mapping[str, None]) -> list[str]:
        """The models beyond the first page; ends when a page brings nothing new."""
        found: list[str] = []
        seen = set(known)
        last = list(known)[-1] if known else ""
        for number in range(2, _MOST_PAGES + 2):
            document = _document(page)
            if not isinstance(document, dict) or document.get("has_more") is not True or not last:
                return found
            if number > _MOST_PAGES:
                break
            probe = replace(
                self.probes[LISTING],
                id=f"{LISTING}-page-{number}",
                query={"after_id": last},
            )
            page = (await self.engine.probe(probe, None, ""))[-1]
            self.engine.keep([page])
            new = [id_ for id_ in listed_ids(page) if id_ not in seen]
            if not new:
                return found
            found += new
            seen.update(new)
            last = new[-1]
        self.notices.append(f"Discovery goes on after {_MOST_PAGES} pages; the rest is left out.")
        return found

    async def _greet(self, model: str) -> None:
        """Send a first message in each style that is of interest and settle on one that works."""
        both = len(self.styles) > 1 and self.wanted.issuperset(HELLO.values())
        first, *others = self.styles
        trials = [[first, *others]] if both else [[style] for style in self.styles]
        for styles in trials:
            answers = await asyncio.gather(
                *(self.engine.probe(self.probes[HELLO[style]], None, model) for style in styles)
            )
            for style, exchanges in zip(styles, answers, strict=True):
                self.evidence[HELLO[style]] = exchanges
            if any(_works(exchanges[-1]) for exchanges in answers):
                break
        self.wire.style = next((s for s in self.styles if self._taken(s)), first)

    def _taken(self, style: Auth) -> bool | None:
        """Whether a style is taken, as far as its first message tells.

        That it is refused shows where another style works, or in a 401 or 403. Where no message is
        answered, for instance because nobody knows the model, nothing is known of the credential.
        """
        exchanges = self.evidence.get(HELLO[style])
        if not exchanges or exchanges[-1].response is None:
            return None
        answer = exchanges[-1]
        is_known = _refuses(answer) or any(map(_works, self._answers()))
        return _works(answer) if is_known else None

    def _answers(self) -> list[Exchange]:
        """The last answer of each first message, or of discovery where none was sent."""
        hellos = [self.evidence[id_][-1] for id_ in HELLO.values() if id_ in self.evidence]
        return hellos or [exchanges[-1] for exchanges in self.evidence.values()]

    def _found(self, models: Sequence[str], stop: Stop | None) -> Findings:
        styles = {str(style): self._taken(style) for style in STYLES}
        if stop is not None and stop.kind == hints.NO_MODEL:
            styles = dict.fromkeys(styles)  # what was refused is the model
        return Findings(
            base=self.wire.base,
            style=self.wire.style,
            styles=styles,
            models=tuple(models),
            evidence=self.evidence,
            stop=stop,
        )

    def _unreachable(self) -> Stop | None:
        answers = self._answers()
        # 407 is the answer of a proxy, which says nothing of the endpoint.
        if answers and all(_status(answer) in (0, _PROXY_REFUSES) for answer in answers):
            return hints.unreachable(str(self.wire.base), answers[0])
        return None

    def _refused(self) -> Stop | None:
        """Whether every answer so far refuses the credential."""
        answers = self._answers()
        if not all(map(_refuses, answers)):
            return None
        styles = max(len(answers), len(self._listings))
        return hints.refused(str(self.wire.base), answers[-1], styles=styles)

    def _model_refused(self, model: str) -> bool:
        answers = self._answers()
        return not any(map(_works, answers)) and any(_names_model(a, model) for a in answers)

    def _stop(self, models: Sequence[str], listed: Sequence[str]) -> Stop | None:
        """Why there is no use in going on, if so."""
        answers = self._answers()
        if any(map(_works, answers)):
            return None
        if unreachable := self._unreachable():
            return unreachable
        if self._model_refused(models[0]):
            return hints.model_refused(models[0], answers[0], listed)
        return self._refused()

    def _notice_redirects(self) -> None:
        """Say where an endpoint leads that answers nothing itself."""
        answers = [(_status(one), _location(one)) for one in self._answers()]
        if answers and all(300 <= status < 400 and location for status, location in answers):
            status, location = answers[0]
            self.notices.append(hints.redirected(str(self.wire.base), status, short(location)))

    async def _suggest_prefix(self, given: BaseUrl) -> None:
        """Look where else an API may live below the same origin; a hint, never a redirection."""
        if "/" in given.prefix.strip("/"):
            return
        model = self.asked[0] if self.asked and self.asked[0] != ALL else "unknown"
        for prefix in hints.USUAL_PREFIXES:
            if given.prefix.endswith(prefix):
                continue
            self.wire.base = BaseUrl(given.origin, given.prefix + prefix)
            style = self.wire.style
            answers = await self.engine.probe(self.probes[HELLO[style]], None, model)
            self.wire.base = given
            if _speaks_anthropic(answers[-1]):
                self.notices.append(hints.elsewhere(str(given), str(given) + prefix))
                return


def listed_ids(exchange: Exchange) -> tuple[str, ...]:
    """The model ids of a discovery answer, whatever else is wrong with it."""
    document = _document(exchange)
    entries = document.get("data") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        return ()
    ids = (entry.get("id") for entry in entries if isinstance(entry, dict))
    return tuple(dict.fromkeys(id_ for id_ in ids if isinstance(id_, str) and id_))


def _document(exchange: Exchange) -> Any:
    response = exchange.response
    if response is None or response.text is None:
        return None
    try:
        return decode(response.text)
    except NotJSONError:
        return None


def _status(exchange: Exchange) -> int:
    return exchange.response.status if exchange.response else 0


def _location(exchange: Exchange) -> str:
    headers = exchange.response.headers if exchange.response else []
    return next((value for name, value in headers if name.lower() == "location"), "")


def _works(exchange: Exchange) -> bool:
    """Answered 2xx with a JSON object; a page of HTML is no sign of life."""
    return 200 <= _status(exchange) < 300 and isinstance(_document(exchange), dict)


def _refuses(exchange: Exchange) -> bool:
    return _status(exchange) in (_UNAUTHORIZED, 403)


def _nothing_there(answers: Sequence[Exchange]) -> bool:
    """True when every answer looks as if no API lived at this base URL."""
    return bool(answers) and all(map(_looks_missing, answers))


def _looks_missing(exchange: Exchange) -> bool:
    status = _status(exchange)
    if 200 <= status < 300:
        return not isinstance(_document(exchange), dict)
    return status in (404, 405) and not _is_about_model(exchange)


def _is_about_model(exchange: Exchange) -> bool:
    return _names_model(exchange, exchange.values.get("model", ""))


def _names_model(exchange: Exchange, model: str) -> bool:
    """Whether an error is about the model; `not_found_error` alone says nothing of the kind."""
    if _status(exchange) not in (400, _UNAUTHORIZED, 403, 404, 422):
        return False
    document = _document(exchange)
    error = document.get("error") if isinstance(document, dict) else None
    message = error.get("message") if isinstance(error, dict) else None
    return isinstance(message, str) and bool(model) and model.lower() in message.lower()


def _speaks_anthropic(exchange: Exchange) -> bool:
    document = _document(exchange)
    return isinstance(document, dict) and document.get("type") in ("message", "error")

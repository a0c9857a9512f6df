"""Does each probe and check make sense by itself? What the types cannot say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import UNSET, structs

from metaio_verify.probe.template import EACH, SEND, fill, references
from metaio_verify.suite import grammar
from metaio_verify.suite.links import sent
from metaio_verify.suite.model import METHODS, Check, CheckFile, Expect, Probe, StatusPattern
from metaio_verify.suite.source import Flaw, Path
from metaio_verify.suite.words import listing, quote
from metaio_verify.verdict import Verdict

ACCEPTABLE = [v for v in Verdict if v not in (Verdict.FAIL, Verdict.WAIVED)]


def flaws(file: CheckFile) -> Iterator[Flaw]:
    """Everything that is wrong with a file's parts, each looked at alone."""
    for id_, probe in file.probes.items():
        yield from _id(("probes", id_), grammar.SLUG, "hello-stream")
        yield from _probe(probe, ("probes", id_))
    for id_, check in file.checks.items():
        yield from _id(("checks", id_), grammar.CHECK_ID, "streaming.no-done-sentinel")
        yield from _check(check, ("checks", id_))
    for id_, profile in file.profiles.items():
        yield from _id(("profiles", id_), grammar.SLUG, "release-gate")
        yield from _prose({"title": profile.title}, ("profiles", id_))
        if not profile.checks and not profile.tags:
            hint = "Give check ids or globs under `checks`, or `tags`."
            yield Flaw(("profiles", id_), "selects nothing", hint)
    yield from _prose({"area": "" if file.area is UNSET else file.area}, ())
    for id_ in file.schemas:
        yield from _id(("schemas", id_), grammar.NAME, "message")


def expectations(file: CheckFile) -> Iterator[tuple[Path, Expect]]:
    """Each expectation of a file: of checks, of alternatives, of preconditions and capabilities."""
    for id_, probe in file.probes.items():
        if isinstance(probe.until, Expect):
            yield ("probes", id_, "until"), probe.until
        for name, expect in probe.learns.items():
            yield ("probes", id_, "learns", name), expect
    for id_, check in file.checks.items():
        if isinstance(check.expect, Expect):
            yield ("checks", id_, "expect"), check.expect
        for index, alternative in enumerate(check.accept):
            yield ("checks", id_, "accept", index), alternative


def texts(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Each text in JSON data with its path, keys included."""
    match value:
        case str():
            yield path, value
        case dict():
            for key, item in value.items():
                yield (*path, key), key
                yield from texts(item, (*path, key))
        case list():
            for index, item in enumerate(value):
                yield from texts(item, (*path, index))


def _prose(texts_: Mapping[str, Any], path: Path) -> Iterator[Flaw]:
    """What persons read must not steer their terminal."""
    for here, text in texts(dict(texts_), path):
        if not text.replace("\n", "").isprintable():
            yield Flaw(here, f"{quote(text)} holds a character that cannot be printed")


def _id(path: Path, form: Any, example: str) -> Iterator[Flaw]:
    if not form.fullmatch(str(path[-1])):
        hint = f"Small letters, digits and dashes, for instance {quote(example)}."
        yield Flaw(path, "this is not an id", hint)


def _probe(probe: Probe, path: Path) -> Iterator[Flaw]:
    methods = [name for name in METHODS if getattr(probe, name) is not UNSET]
    if len(methods) != 1:
        given = f"{listing(methods, 'and')} exclude each other" if methods else "no method"
        hint = f"Give the path under one of {listing(METHODS)}."
        yield Flaw(path, given, hint)
    for name in methods:
        yield from _path(getattr(probe, name), (*path, name))
    yield from _prose({"purpose": probe.purpose}, path)
    yield from _headers(probe.headers, (*path, "headers"))
    for key, value in (("version", probe.version), *(("beta", beta) for beta in probe.beta)):
        if value is not None and not grammar.HEADER_VALUE.fullmatch(value):
            yield Flaw((*path, key), f"{quote(value)} cannot stand in a header")
    if probe.json is not UNSET and probe.body is not UNSET:
        yield Flaw((*path, "body"), "a probe has `json` or `body`, not both")
    if probe.capture_sent and probe.json is UNSET:
        yield Flaw((*path, "capture-sent"), "it is taken from `json`, and there is none")
    if (probe.padding or probe.chunked) and probe.json is UNSET and probe.body is UNSET:
        yield Flaw(path, "`padding` and `chunked` are about a body, and there is none")
    yield from _upstream(probe, path)
    yield from _attempts(probe, path)
    yield from _bounds(probe, path)
    yield from _references(probe, path)
    for key, names, form in (
        ("capture", probe.capture, grammar.NAME),
        ("capture-all", probe.capture_all, grammar.NAME),
        ("capture-sent", probe.capture_sent, grammar.NAME),
        ("learns", probe.learns, grammar.SLUG),
    ):
        for name in names:
            yield from _id((*path, key, name), form, "tool-id")
    for name, expect in probe.learns.items():
        yield from _expect(expect, (*path, "learns", name))
    if isinstance(probe.until, Expect):
        yield from _expect(probe.until, (*path, "until"))


def _upstream(probe: Probe, path: Path) -> Iterator[Flaw]:
    script = probe.upstream
    if isinstance(script, str) and not grammar.SLUG.fullmatch(script):
        yield Flaw((*path, "upstream"), f"{quote(script)} is not the name of a script")
    if ("upstream" in references(list(sent(probe).values()))) != isinstance(script, str):
        hint = "The upstream finds its script by the mark that stands for `${upstream}`."
        yield Flaw(path, "`upstream` and `${upstream}` need each other", hint)


def _path(text: str, path: Path) -> Iterator[Flaw]:
    plain = str(fill(text, lambda _: "x"))
    hint = "It starts with one `/` and is sent below the base URL, which alone gets the credential."
    if "?" in plain:
        hint = 'The query has a key of its own: `query: {beta: "true"}`.'
    if not grammar.PATH.fullmatch(plain) or grammar.DOTS.search(plain):
        yield Flaw(path, f"{quote(text)} is not a path below the base URL", hint)


def _headers(headers: Mapping[str, str | list[str] | None], path: Path) -> Iterator[Flaw]:
    for name, value in headers.items():
        here = (*path, name)
        if not grammar.HEADER_NAME.fullmatch(name):
            yield Flaw(here, "this is not a header name")
        elif name.lower() in grammar.FORBIDDEN_HEADERS:
            hint = "The credential is chosen with `auth`; the host is the base URL's."
            yield Flaw(here, "a probe cannot set this header", hint)
        for line in [value] if isinstance(value, str) else value or []:
            if not grammar.HEADER_VALUE.fullmatch(line):
                hint = "A header is one line of printable ASCII."
                yield Flaw(here, f"{quote(line)} cannot stand in a header", hint)


def _attempts(probe: Probe, path: Path) -> Iterator[Flaw]:
    if not probe.attempts:
        return
    here = (*path, "attempts")
    if len(probe.attempts) > grammar.ATTEMPTS:
        yield Flaw(here, f"more than {grammar.ATTEMPTS}")
    if probe.until is UNSET:
        hint = "An attempt is sent when `until` does not hold for the answer before it."
        yield Flaw(here, "they are never sent without `until`", hint)
    if not isinstance(probe.json, dict):
        yield Flaw(here, "they change `json`, which is no mapping here")


def _bounds(probe: Probe, path: Path) -> Iterator[Flaw]:
    for key, value, (low, high) in (
        ("times", probe.times, grammar.TIMES),
        ("at-once", probe.at_once, grammar.AT_ONCE),
        ("padding", probe.padding, grammar.PADDING),
    ):
        if not low <= value <= high:
            yield Flaw((*path, key), f"must be {low} to {high}, not {value}")
    if probe.timeout is not UNSET:
        yield from _seconds(probe.timeout, (*path, "timeout"))


def _seconds(value: float, path: Path) -> Iterator[Flaw]:
    if not 0 < value <= grammar.SECONDS:
        limit = f"more than 0 and at most {grammar.SECONDS:g} seconds"
        yield Flaw(path, f"must be {limit}, not {value:g}")


def _references(probe: Probe, path: Path) -> Iterator[Flaw]:
    """References that no run could fill; whether a captured value exists is asked elsewhere."""
    filler = 0
    for key, part in sent(probe).items():
        for here, text in texts(part, (*path, key)):
            names = list(references(text))
            if text.replace("$${", "").count("${") != len(names):
                hint = "`$${` stands for a plain `${`."
                yield Flaw(here, f"unfinished reference in {quote(text)}", hint)
            for name in names:
                if not _is_reference(name) and not (name == EACH and SEND in here):
                    yield Flaw(here, f"unknown reference {quote(f'${{{name}}}')}", _REFERENCES)
                elif name.startswith("filler:"):
                    filler += int(name.removeprefix("filler:"))
    if filler > grammar.FILLER:
        yield Flaw(path, f"more than {grammar.FILLER} bytes of filler")


_REFERENCES = (
    "Known: `${model}`, `${token}`, `${token:NAME}`, `${upstream}`, `${filler:BYTES}`, "
    "`${PROBE.NAME}`."
)


def _is_reference(name: str) -> bool:
    word, colon, argument = name.partition(":")
    match word, colon:
        case (("model" | "token" | "upstream"), ""):
            return True
        case "token", ":":
            return bool(grammar.NAME.fullmatch(argument))
        case "filler", ":":
            return bool(grammar.BYTES.fullmatch(argument))
    return "." in name


def _check(check: Check, path: Path) -> Iterator[Flaw]:
    if check.expect is UNSET and check.rule is UNSET:
        yield Flaw(path, "neither `expect` nor `rule`")
    if check.args and check.rule is UNSET:
        yield Flaw((*path, "args"), "there is no `rule` that takes them")
    for key, form, words in (
        ("contract", grammar.CONTRACT_ID, check.requirements),
        ("tags", grammar.SLUG, check.tags),
        ("faults", grammar.SLUG, check.faults),
    ):
        for index, word in enumerate(words):
            if not form.fullmatch(word):
                hint = f"For instance {quote(_EXAMPLES[key])}."
                yield Flaw((*path, key, index), f"{quote(word)} is not an id", hint)
    prose = ("title", "source", "breaks", "fix", "workaround")
    yield from _prose({key: getattr(check, key) for key in prose}, path)
    for key, words in (("on", check.probes), ("contract", check.requirements)):
        if not words:
            yield Flaw((*path, key), "at least one is needed")
    if isinstance(check.expect, Expect):
        yield from _expect(check.expect, (*path, "expect"))
    for index, alternative in enumerate(check.accept):
        here = (*path, "accept", index)
        if alternative.verdict not in ACCEPTABLE:
            hint = f"One of {listing(ACCEPTABLE)}; what is not accepted fails by itself."
            yield Flaw((*here, "verdict"), "an accepted answer cannot get this verdict", hint)
        yield from _prose({"because": alternative.because}, here)
        yield from _expect(alternative, here, besides=("verdict", "because"))


_EXAMPLES = {"contract": "AUT-02", "tags": "onboarding", "faults": "no-request-id"}


def _expect(expect: Expect, path: Path, besides: Sequence[str] = ()) -> Iterator[Flaw]:
    given = [key for key in structs.asdict(expect) if key not in besides]
    if all(getattr(expect, key) in (UNSET, {}, []) for key in given):
        yield Flaw(path, "without a condition it holds for every answer")
    if expect.status is not UNSET:
        codes = expect.status if isinstance(expect.status, list) else [expect.status]
        for index, code in enumerate(codes):
            if not _is_status(code):
                hint = "A code from 100 to 599, or a class of codes such as `2xx`."
                yield Flaw((*path, "status", index), f"{quote(code)} is not a status", hint)
    for name in expect.headers:
        if not grammar.HEADER_NAME.fullmatch(name):
            yield Flaw((*path, "headers", name), "this is not a header name")
    if expect.timing is not UNSET:
        for key, value in structs.asdict(expect.timing).items():
            if value is not None:
                yield from _seconds(value, (*path, "timing", key.replace("_", "-")))


def _is_status(code: StatusPattern) -> bool:
    low, high = grammar.STATUS_CODES
    if isinstance(code, str):
        return bool(grammar.STATUS.fullmatch(code))
    return low <= code <= high

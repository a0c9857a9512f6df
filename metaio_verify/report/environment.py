"""The smallest set of variables with which Claude Code works here, from what was measured.

Each variable has its reason. Those that a session can do without are optional; the block that is
to be pasted has them as comments.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from metaio_verify.record import Reach, RunRecord
from metaio_verify.report import facts, limits
from metaio_verify.report.markup import shell_word
from metaio_verify.report.summary import summarise
from metaio_verify.report.text import listed, safe
from metaio_verify.verdict import Verdict

PLACEHOLDER = "sk-your-token"
ANY_TEXT = "any-text"

ALIASES = {
    "OPUS": "claude-opus-5-5",
    "SONNET": "claude-sonnet-5-5",
    "HAIKU": "claude-haiku-5-5",
}
"""Claude Code's aliases and the ids that they stand for (measured: 2.1.330)."""

DEFAULT_MODEL = ALIASES["OPUS"]
"""What Claude Code starts with when nothing names a model."""

_ASKED_FOR = {"known": 128_000, "other": 32_000}
"""The max_tokens that Claude Code sends: for the models of its aliases, and for others."""

_FIRST_PROMPT = 20_000
"""The tokens of Claude Code's own prompt and tools, roughly."""
_SHARE = 4
"""An answer gets this part of a window that it shares with the prompt."""
_ASSUMED_WINDOW = 1_000_000
"""The context that Claude Code assumes of a model that it does not know."""
_KNOWN = re.compile(r"claude-(?:opus|sonnet|haiku|fable|mythos)-\d")


class Setting(Struct, frozen=True):
    """One variable."""

    name: str
    value: str
    reason: str
    """One clause, with names of code in backquotes."""
    needed: bool = True
    """False: sessions work without it, and better with it."""

    @property
    def line(self) -> str:
        """The line of a shell script that sets it."""
        export = f"export {self.name}={shell_word(self.value)}"
        return export if self.needed else f"# {export}"


def settings(record: RunRecord) -> list[Setting]:
    """Return the variables, those that are needed first."""
    found = [
        *_address(record),
        *_models(record),
        *_refused_parts(record),
        *_limits(record),
        *_comfort(record),
    ]
    return sorted(found, key=lambda setting: not setting.needed)


def reasons(found: Iterable[Setting]) -> list[tuple[list[str], Setting]]:
    """Return each reason once, with the names of the variables that it is for and one of these."""
    grouped: dict[str, list[Setting]] = {}
    for setting in found:
        grouped.setdefault(setting.reason, []).append(setting)
    return [([setting.name for setting in group], group[0]) for group in grouped.values()]


def address(record: RunRecord) -> list[Setting]:
    """Return the variables that lead to the endpoint at all: where it is, and the credential."""
    return list(_address(record))


def main_model(record: RunRecord) -> str | None:
    """Return the model that Claude Code is set up for: one that is verified, or else tested."""
    found = [*summarise(record).verified, *record.target.models]
    return DEFAULT_MODEL if DEFAULT_MODEL in found else next(iter(found), None)


def model_reason(record: RunRecord) -> str:
    """Say why the model has to be named, in one clause; empty when it has not."""
    model = main_model(record)
    if model in (None, DEFAULT_MODEL):
        return ""
    starts = f"Claude Code starts with `{DEFAULT_MODEL}`, "
    return starts + _WHY_NAMED[_is_served(record, DEFAULT_MODEL)]


_WHY_NAMED = {
    True: "which this run did not verify",
    False: "which this endpoint does not list",
    None: "and without a model list it is not known whether that is served",
}


def _address(record: RunRecord) -> Iterator[Setting]:
    base = safe(record.target.base_url)
    yield Setting("ANTHROPIC_BASE_URL", base, "the address that was verified")
    name = facts.variable(record)
    working, _ = facts.styles(record)
    if name is None:
        reason = "your token; no way of sending it worked in this run"
        yield Setting(facts.VARIABLES["x-api-key"], PLACEHOLDER, reason)
    elif facts.is_open(record):
        yield Setting(
            name, ANY_TEXT, "the endpoint asks for no token, Claude Code wants some value"
        )
    elif len(working) > 1:
        yield Setting(name, PLACEHOLDER, "your token; both ways of sending it work")
    else:
        yield Setting(name, PLACEHOLDER, "your token; this is how the endpoint takes it")


def _models(record: RunRecord) -> Iterator[Setting]:
    model = main_model(record)
    if model is None:
        return
    if reason := model_reason(record):
        yield Setting("ANTHROPIC_MODEL", safe(model), reason)
    found = facts.discovery(record).listed
    for family, canonical in ALIASES.items():
        served = _is_served(record, canonical)
        if served or (served is None and model in ALIASES.values()):
            continue
        near = next((id_ for id_ in found if family.lower() in id_.lower()), model)
        name = f"ANTHROPIC_DEFAULT_{family}_MODEL"
        yield Setting(name, safe(near), _ALIAS_REASONS[served], needed=served is False)


_ALIAS_REASONS = {
    False: "the id that Claude Code's alias stands for is not listed by this endpoint",
    None: "it is not known whether this endpoint serves the id that Claude Code's alias stands for",
}


def _is_served(record: RunRecord, model: str) -> bool | None:
    """Whether the endpoint has a model; none when its list was not to be had."""
    found = facts.discovery(record)
    if model in found.listed or model in record.target.models:
        return True
    return False if found.is_served else None


def _refused_parts(record: RunRecord) -> Iterator[Setting]:
    """What to switch off because the full request is refused and passes without it."""
    for client in record.clients:
        needed = client.reach is not Reach.FALLBACK
        for name, value in client.switches.items():
            part = _PARTS.get(name, "what it leaves out")
            reason = f"Claude Code's first request is refused with {part}, and answered without"
            if not needed:
                reason += "; this spares the refused request"
            yield Setting(name, value, reason, needed=needed)


_PARTS = {
    "CLAUDE_CODE_DISABLE_ADAPTIVE_THINKING": "adaptive thinking",
    "CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS": "its experimental betas and their fields",
    "MAX_THINKING_TOKENS": "thinking",
}


def _limits(record: RunRecord) -> Iterator[Setting]:
    model = main_model(record)
    if model is None:
        return
    known = model in ALIASES.values()
    asked = _ASKED_FOR["known" if known else "other"]
    most = limits.output_tokens(record, model)
    window = limits.input_tokens(record, model)
    together = limits.together(record, model)
    if most is not None and most < asked:
        reason = f"the model writes at most {most:,} tokens, and Claude Code asks for {asked:,}"
        yield Setting("CLAUDE_CODE_MAX_OUTPUT_TOKENS", str(most), reason)
    elif together is not None and together < asked + _FIRST_PROMPT:
        reason = (
            f"prompt and answer together have to fit {together:,} tokens, and Claude Code asks for "
            f"{asked:,} of them as an answer"
        )
        yield Setting("CLAUDE_CODE_MAX_OUTPUT_TOKENS", str(together // _SHARE), reason)
    elif window is not None and window < asked + _FIRST_PROMPT:
        reason = (
            f"the model reads at most {window:,} tokens, and Claude Code asks for an answer of "
            f"{asked:,}, which some servers count, too"
        )
        value = str(window // _SHARE)
        yield Setting("CLAUDE_CODE_MAX_OUTPUT_TOKENS", value, reason, needed=False)
    if window is not None and window < _ASSUMED_WINDOW and not _KNOWN.match(model):
        reason = (
            f"the model reads at most {window:,} tokens, and Claude Code assumes "
            f"{_ASSUMED_WINDOW:,} of a model that it does not know"
        )
        yield Setting("CLAUDE_CODE_AUTO_COMPACT_WINDOW", str(window), reason)


def _comfort(record: RunRecord) -> Iterator[Setting]:
    """What a session can do without."""
    found = [id_ for id_ in facts.discovery(record).picked if id_ not in ALIASES.values()]
    if found:
        names = listed([f"`{safe(id_)}`" for id_ in found[:3]])
        yield Setting(
            "CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY",
            "1",
            f"shows listed models such as {names} in `/model`",
            needed=False,
        )
    if any(one.found is Verdict.FAIL and "CCO-05" in one.contract for one in record.verdicts):
        yield Setting(
            "CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK",
            "1",
            "the second request behind a broken stream fails here, and hides the first error",
            needed=False,
        )

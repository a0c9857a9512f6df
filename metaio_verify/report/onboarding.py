"""What the sections of the onboarding page share: the facts, derived once, and the commands."""

from __future__ import annotations

from msgspec import Struct

from metaio_verify.outcome import NEVER_BEGAN
from metaio_verify.record import RunRecord
from metaio_verify.report import environment, facts
from metaio_verify.report.group import Deviation, deviations
from metaio_verify.report.markup import shell_word
from metaio_verify.report.places import Block, blocks
from metaio_verify.report.summary import Outcome, Summary, summarise
from metaio_verify.report.text import date, safe
from metaio_verify.urls import split
from metaio_verify.verdict import Verdict


class Page(Struct, frozen=True):
    """The facts of one page."""

    record: RunRecord
    summary: Summary
    discovery: facts.Discovery
    variable: str | None
    """The variable for the token; none when no way of sending it worked."""
    is_open: bool
    """The endpoint asks for no credential."""
    deviations: list[Deviation]
    """Failures and warnings."""

    @property
    def base(self) -> str:
        """The base URL for clients."""
        return safe(self.record.target.base_url)

    @property
    def host(self) -> str:
        """The name that a person calls the endpoint by."""
        return split(self.record.target.base_url).netloc or self.record.target.base_url

    @property
    def date(self) -> str:
        """The day of the run."""
        return date(self.record.started)

    @property
    def works(self) -> bool:
        """Whether the page may claim verification."""
        return self.summary.outcome is Outcome.WORKS

    @property
    def never_began(self) -> bool:
        """Whether nothing at all was measured."""
        return self.record.stopped is not None and self.record.stopped.kind in NEVER_BEGAN

    @property
    def verified(self) -> list[str]:
        """The models that customers may be told to use."""
        return [] if self.never_began else self.summary.verified

    @property
    def model(self) -> str | None:
        """The model that the page takes as its example."""
        return environment.main_model(self.record)

    @property
    def needs_model(self) -> bool:
        """Whether Claude Code finds the example only when it is named."""
        return bool(environment.model_reason(self.record))

    @property
    def settings(self) -> list[environment.Setting]:
        """The variables beyond the address and the credential, each with its reason."""
        known = {setting.name for setting in environment.address(self.record)}
        return [one for one in environment.settings(self.record) if one.name not in known]

    @property
    def blocks(self) -> list[Block]:
        """The set-up, for each place where a customer may put it."""
        return blocks(environment.settings(self.record), [self.variable] if self.variable else [])

    @property
    def other_variable(self) -> str:
        """The second variable for the token, when it is known whether it works."""
        styles = self.record.target.auth_styles
        others = [
            name
            for style, name in facts.VARIABLES.items()
            if name != self.variable and styles.get(style) is not None
        ]
        return others[0] if self.variable and others else ""

    @property
    def other_works(self) -> bool:
        """Whether the second variable works too."""
        working, _ = facts.styles(self.record)
        return len(working) > 1


def open_page(record: RunRecord) -> Page:
    """Derive the facts of the page."""
    return Page(
        record=record,
        summary=summarise(record),
        discovery=facts.discovery(record),
        variable=facts.variable(record),
        is_open=facts.is_open(record),
        deviations=[one for one in deviations(record) if one.verdict is not Verdict.NOTE],
    )


def exports(page: Page, *, named: bool = True) -> list[str]:
    """Return the lines for a customer's shell; the address and token alone if not `named`."""
    found = environment.settings if named else environment.address
    return [setting.line for setting in found(page.record)]


def check_command(record: RunRecord) -> str:
    """Return the command that repeats the run."""
    chosen = record.selection
    words = ["metaio-verify check", f"--profile {_word(chosen.profile)}"]
    words += [f"--model {_word(model)}" for model in record.target.models]
    words += [f"--only {_word(glob)}" for glob in chosen.only]
    words += [f"--skip {_word(glob)}" for glob in chosen.skip]
    words += [f"--tag {_word(tag)}" for tag in chosen.tags]
    words += ["--strict"] if chosen.strict else []
    return " ".join([*words, "--report markdown=onboarding.md --report json=run.json"])


def _word(text: str) -> str:
    """A shell word, without quotes where none are needed."""
    plain = text and all(sign.isascii() and (sign.isalnum() or sign in "._:/@+-") for sign in text)
    return text if plain else shell_word(text) if "*" not in text else f"'{safe(text)}'"

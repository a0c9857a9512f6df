"""Checks as test items. One run serves all of them, and every worker of xdist."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from metaio_verify.api import Chosen, check_input, choose, verify
from metaio_verify.config import Target, read_environment
from metaio_verify.errors import UserError
from metaio_verify.record import Judgement, RunRecord
from metaio_verify.report import deviation
from metaio_verify.report.finding import headline
from metaio_verify.report.group import deviations
from metaio_verify.report.json import decode, encode
from metaio_verify.report.layout import Page
from metaio_verify.report.surface import Surface
from metaio_verify.report.text import safe
from metaio_verify.spoken import spoken
from metaio_verify.suite.model import Check, Scope
from metaio_verify.suite.select import select
from metaio_verify.verdict import Level, Verdict
from metaio_verify.wanted import AUTO, Endpoint, Options

ROOT = "metaio"
"""The first part of every node id: `metaio::auth.bearer[model]`."""

_WORST_FIRST = (
    *(Verdict.FAIL, Verdict.BLOCKED, Verdict.INCONCLUSIVE, Verdict.WARN, Verdict.NOTE),
    *(Verdict.PASS, Verdict.DECLINED, Verdict.WAIVED, Verdict.SKIPPED),
)
_WIDTH = 90


class Checks:
    """The plug-in of a session that verifies an endpoint."""

    def __init__(self, config: pytest.Config, shared: Path | None) -> None:
        self._config = config
        self._shared = shared
        self._made: Path | None = None
        self._record: RunRecord | None = None
        self._asked: list[str] = []
        self.strict: bool = config.getoption("metaio_strict")
        try:
            self._endpoint, self._options = _input(config)
            self._chosen = choose(self._options)
            check_input(self._endpoint, self._options)
        except UserError as error:
            raise pytest.UsageError(*(_said(str(one), config) for one in error.problems)) from None
        if not self._chosen.checks:
            raise pytest.UsageError("metaio-verify: no check is selected")
        self._declare_markers(config)

    def _declare_markers(self, config: pytest.Config) -> None:
        """So that `--strict-markers` knows them."""
        names = dict.fromkeys(
            name for check in self._chosen.checks for name in _marker_names(check)
        )
        for name in names:
            config.addinivalue_line("markers", f"{name}: set by metaio-verify, see its README")

    def pytest_report_header(self) -> str:
        """Name what is verified."""
        number = len(self._chosen.checks)
        return f"metaio-verify: {_said(self._endpoint.base_url, self._config)}, {number} checks"

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> None:
        """Keep ids such as `metaio::auth.bearer` from being looked for as files."""
        arguments = session.config.args
        self._asked = [one for one in arguments if one.startswith(f"{ROOT}::")]
        session.config.args = [one for one in arguments if one not in self._asked]

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(
        self, session: pytest.Session, items: list[pytest.Item]
    ) -> None:
        """Add the items before pytest selects among them."""
        folder = Folder.from_parent(
            session, name=ROOT, nodeid=ROOT, path=session.config.rootpath / ROOT, run=self
        )
        made = list(session.genitems(folder))
        if self._asked:
            known = {item.nodeid for item in made} | {
                item.nodeid.partition("[")[0] for item in made
            }
            if missing := [one for one in self._asked if one not in known]:
                raise pytest.UsageError(*(f"not found: {one}" for one in missing))
            made = [
                one for one in made if {one.nodeid, one.nodeid.partition("[")[0]} & {*self._asked}
            ]
        items.extend(made)

    def items(self, folder: Folder) -> Iterator[CheckItem]:
        """Each check as one item, or as several."""
        for check in self._chosen.checks:
            yield from self._of(folder, check)

    def _of(self, folder: Folder, check: Check) -> Iterator[CheckItem]:
        """One item for each model that was named, where the check is about a model at all."""
        models = [model for model in self._endpoint.models if model != "all"]
        probes = self._chosen.suite.probes
        about_models = any(probes[id_].scope is Scope.MODEL for id_ in check.probes)
        of = models if models and about_models and "all" not in self._endpoint.models else [None]
        for model in of:
            name = f"{check.id}[{model}]" if model else check.id
            yield CheckItem.from_parent(folder, name=name, check=check, model=model, run=self)

    def judgement(self, item: CheckItem) -> Judgement:
        """Return what came of an item; the first one that asks has the endpoint verified."""
        record = self.record(item.session.items)
        found = [
            one
            for one in record.verdicts
            if one.check == item.check.id and (item.model is None or one.model == item.model)
        ]
        if found:
            return min(found, key=lambda one: _WORST_FIRST.index(one.verdict))
        message = record.stopped.message if record.stopped else "it was not judged"
        return Judgement(
            check=item.check.id,
            level=item.check.level,
            verdict=Verdict.BLOCKED,
            contract=list(item.check.requirements),
            reason=message,
        )

    def record(self, items: Iterable[pytest.Item] = ()) -> RunRecord:
        """Verify the checks that were selected, once."""
        if self._record is None:
            ids = {item.check.id for item in items if isinstance(item, CheckItem)}
            self._record = self._once(ids)
            stopped = self._record.stopped
            if stopped is not None and stopped.kind == "interrupted":
                raise KeyboardInterrupt
        return self._record

    def _once(self, ids: set[str]) -> RunRecord:
        if self._shared is None:
            return self._verify(ids)
        file = self._shared / "run.json"
        with _locked(self._shared / "lock"):
            # Every worker has the same items, so the run of the first serves all.
            if file.exists():
                return decode(file.read_bytes(), str(file))
            record = self._verify(ids)
            file.write_bytes(encode(record))
            return record

    def _verify(self, ids: set[str]) -> RunRecord:
        suite = self._chosen.suite
        only = [check.id for check in self._chosen.checks if check.id in ids]
        selected = select(suite, only=only)
        chosen = Chosen(suite, selected.checks, selected.probes)
        return verify(self._endpoint, self._options, chosen=chosen)

    def folder_for_workers(self) -> Path:
        """Where the workers find each other; only this user can look into it."""
        if self._made is None:
            self._made = Path(tempfile.mkdtemp(prefix="metaio-verify-"))
        return self._made

    def pytest_unconfigure(self) -> None:
        """Remove what was shared."""
        if self._made is not None:
            shutil.rmtree(self._made, ignore_errors=True)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Name the warnings and notes, which passed."""
        reports = terminalreporter.stats.get("passed", [])
        found = [dict(report.user_properties) for report in reports if report.when == "call"]
        deviating = [one for one in found if one.get("metaio_verdict") in ("warn", "note")]
        if deviating:
            terminalreporter.section("metaio-verify: passed with a remark")
            for one in deviating:
                line = f"{one['metaio_verdict']:4}  {one['metaio_check']}: {one['metaio_title']}"
                terminalreporter.write_line(line)


class Folder(pytest.Collector):
    """The parent of all checks."""

    def __init__(self, *, run: Checks, **given: Any) -> None:
        super().__init__(**given)
        self._run = run

    def collect(self) -> Iterator[CheckItem]:
        """Return the items."""
        return self._run.items(self)


class CheckItem(pytest.Item):
    """One check on one model."""

    def __init__(self, *, check: Check, model: str | None, run: Checks, **given: Any) -> None:
        super().__init__(**given)
        self.check = check
        self.model = model
        self._run = run
        for name in _marker_names(check):
            self.add_marker(name)

    def setup(self) -> None:
        """Have it judged. What could not be judged is an error, and no failure."""
        found = self._run.judgement(self)
        self.user_properties += [
            ("metaio_check", self.check.id),
            ("metaio_verdict", str(found.verdict)),
            ("metaio_level", str(found.level)),
            ("metaio_contract", " ".join(found.contract)),
            ("metaio_title", self.check.title),
        ]
        reason = f"{found.verdict}: {safe(found.reason or found.verdict.meaning)}"
        if found.verdict.is_unknown and found.level is Level.MUST:
            # In a setup this is an error, not a failure: nothing is known of the endpoint.
            pytest.fail(reason, pytrace=False)
        if found.verdict in (Verdict.SKIPPED, Verdict.DECLINED, Verdict.WAIVED) or (
            found.verdict.is_unknown
        ):
            pytest.skip(reason)

    def runtest(self) -> None:
        """Fail where the endpoint deviates."""
        found = self._run.judgement(self)
        if not found.verdict.is_deviation:
            return
        text = self._explained(found)
        if found.verdict is Verdict.FAIL or (found.verdict is Verdict.WARN and self._run.strict):
            # Pytest's summary has the first line.
            pytest.fail(f"{safe(headline(found))}\n\n{text}", pytrace=False)
        self.add_report_section("call", "metaio-verify", text)

    def _explained(self, found: Judgement) -> str:
        """The deviation as the terminal report has it."""
        record = self._run.record()
        page = Page(Surface(width=_WIDTH))
        for one in deviations(record):
            if one.check == found.check and one.verdict is found.verdict:
                deviation.in_full(page, record, one)
        return str(page).rstrip()

    def reportinfo(self) -> tuple[Path, None, str]:
        """Where the item is and what it is called."""
        return self.path, None, f"{self.name}: {self.check.title}"


def _said(text: str, config: pytest.Config) -> str:
    """What pytest prints of what a user gave."""
    return spoken(text, [os.environ.get(config.getoption("metaio_key_env") or "", "")])


def _input(config: pytest.Config) -> tuple[Endpoint, Options]:
    option = config.getoption
    target = Target(api_key_env=option("metaio_key_env"))
    environment = read_environment(target, named_by="--metaio-key-env")
    if environment.api_key is None:
        raise pytest.UsageError(
            "metaio-verify: no API key was given; set ANTHROPIC_API_KEY or ANTHROPIC_AUTH_TOKEN, "
            "or name its variable with --metaio-key-env"
        )
    models = option("metaio_model") or ([environment.model] if environment.model else [])
    endpoint = Endpoint(
        option("metaio_base_url"),
        environment.api_key,
        models,
        option("metaio_auth") or AUTO,
    )
    return endpoint, Options(
        profile=option("metaio_profile") or Options.profile,
        only=option("metaio_only"),
        skip=option("metaio_skip"),
        tags=option("metaio_tag"),
        checks=option("metaio_checks"),
        strict=option("metaio_strict"),
        secrets=environment.secrets[1:],
    )


def _marker_names(check: Check) -> list[str]:
    """The words by which `-m` selects a check: level, area, tags and requirements."""
    return [ROOT, str(check.level), check.area, *check.tags, *check.requirements]


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock between processes; it ends with the process, however that ends."""
    with path.open("w") as file:
        if os.name == "nt":
            import msvcrt  # noqa: PLC0415 - there is none elsewhere

            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl  # noqa: PLC0415 - there is none on Windows

            fcntl.flock(file, fcntl.LOCK_EX)
        yield

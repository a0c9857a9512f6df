"""Write the generated parts of the documentation; a test fails when they are out of date.

Usage: python tools/docs.py            the README's blocks, docs/defects.md, docs/reports.md,
                                       examples/reports, checks/COVERAGE.md, the JSON Schemas, and
                                       what is out of date in checks/examples.json
       python tools/docs.py --picture  docs/demo.svg too, from a real run
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml
from msgspec.structs import replace

from metaio_verify import example_kept
from metaio_verify.after import Earlier, day_of, with_baseline
from metaio_verify.api import choose, planned, verify
from metaio_verify.baseline import schema as baseline
from metaio_verify.baseline.read import parse_baseline
from metaio_verify.compare import terminal as compared
from metaio_verify.compare.build import compare
from metaio_verify.example import example as seen
from metaio_verify.exitcodes import ExitCode
from metaio_verify.lab.server import Lab, running
from metaio_verify.record import Clock, Judgement, RunRecord
from metaio_verify.report import Format
from metaio_verify.report.json import decode, encode, record_schema
from metaio_verify.report.settled import Kind, kind
from metaio_verify.report.terminal import render
from metaio_verify.suite.load import builtin
from metaio_verify.suite.model import Check
from metaio_verify.suite.schema import FILE_NAME, as_text
from metaio_verify.verdict import Level, Verdict
from metaio_verify.wanted import Endpoint, Options

ROOT = Path(__file__).parent.parent

# Terminal colours of the picture: black, red, green, yellow, blue, magenta, cyan, white.
_DARK = [(16, 18, 24), (240, 98, 98), (120, 200, 130), (226, 184, 92)]
_DARK += [(110, 160, 240), (190, 140, 230), (96, 196, 206), (214, 218, 226)]
_BRIGHT = [(110, 116, 130), (250, 128, 128), (150, 220, 158), (240, 204, 124)]
_BRIGHT += [(140, 184, 250), (210, 168, 242), (130, 216, 224), (240, 242, 246)]


def exit_codes() -> str:
    """The table of exit codes."""
    rows = [f"| {code.value} | {code.meaning} |" for code in ExitCode]
    return "\n".join(["| code | meaning |", "|---:|---|", *rows])


def cost() -> str:
    """What a run costs at most, for each profile."""
    rows = []
    for name, profile in builtin().profiles.items():
        chosen = choose(Options(profile=name))
        _, budget = planned(chosen, [])
        rows.append(
            f"| `{name}` | {profile.title} | {len(chosen.checks)} | {budget.requests} "
            f"| {budget.output_tokens:,} |"
        )
    head = "| profile | what it selects | checks | requests | output tokens |"
    return "\n".join([head, "|---|---|---:|---:|---:|", *rows])


def catalogue() -> str:
    """Every check, by area."""
    suite = builtin()
    parts = []
    for area, title in suite.areas.items():
        checks = [check for check in suite.checks.values() if check.area == area]
        if checks:
            rows = "\n".join(map(_row, checks))
            head = "| check | level | contract | requirement |\n|---|---|---|---|"
            summary = f"<summary>{title}: {len(checks)} checks</summary>"
            parts.append(f"<details>{summary}\n\n{head}\n{rows}\n\n</details>")
    return "\n".join(parts)


def _row(check: Check) -> str:
    title = _cell(check.title)
    return f"| `{check.id}` | {check.level} | {', '.join(check.requirements)} | {title} |"


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def defects() -> str:
    """The table of public defects: what reproduces each and what catches it."""
    entries: dict[str, dict[str, Any]] = yaml.safe_load(
        (ROOT / "docs/defects.yaml").read_text(encoding="utf-8")
    )
    caught = sum("faults" in entry for entry in entries.values())
    head = [
        "# Real defects, and what catches them",
        "",
        "Defects of Anthropic-style endpoints that were reported in public issue trackers. Each is",
        "a fault of the lab, caught by the checks beside it, or the table says why it is not. The",
        "ids are a numbering of their own, not the contract's. This page is made from",
        "`defects.yaml` by `tools/docs.py`.",
        "",
        f"{caught} of {len(entries)} are caught.",
        "",
        "| id | defect | faults | caught by |",
        "|---|---|---|---|",
    ]
    return "\n".join([*head, *(_defect(id_, entry) for id_, entry in entries.items()), ""])


def _defect(id_: str, entry: dict[str, Any]) -> str:
    if "faults" in entry:
        faults, checks = (", ".join(f"`{x}`" for x in entry[key]) for key in ("faults", "checks"))
        return f"| {id_} | {_cell(entry['title'])} | {faults} | {checks} |"
    return f"| {id_} | {_cell(entry['title'])} | | not caught: {_cell(entry['unseen'])} |"


def contract() -> dict[str, Any]:
    """The requirements, and where endpoints may differ, as written."""
    text = (ROOT / "docs/contract.yaml").read_text(encoding="utf-8")
    written: dict[str, Any] = yaml.safe_load(text)
    return written


def judges() -> dict[str, list[str]]:
    """Requirement id → the checks that judge it."""
    found: dict[str, list[str]] = {}
    for check in builtin().checks.values():
        for id_ in check.requirements:
            found.setdefault(id_, []).append(check.id)
    return found


def coverage() -> str:
    """The contract, line by line, with what judges each."""
    written, by_id = contract(), judges()
    requirements: dict[str, dict[str, str]] = written["requirements"]
    judged = sum(id_ in by_id for id_ in requirements)
    left_out = sum("left-out" in entry for entry in requirements.values())
    head = [
        "# The contract, and what judges it",
        "",
        "Each requirement with the strongest level of its clauses and the checks that judge it, or",
        "why none can. This page is made from `docs/contract.yaml` and the check files by",
        "`tools/docs.py`.",
        "",
        f"{judged} of {len(requirements)} requirements are judged,",
        f"{left_out} are left out.",
        "",
        "| id | level | requirement | judged by |",
        "|---|---|---|---|",
    ]
    rows = [_requirement(id_, entry, by_id.get(id_, [])) for id_, entry in requirements.items()]
    lenient = [
        "",
        "## Where endpoints may differ",
        "",
        "No must-check fails on any of these. Each is a variant of the lab",
        "(`metaio-verify demo --variant ID`), and a test runs the whole suite against it.",
        "",
        "| difference | variants |",
        "|---|---|",
    ]
    for entry in written["lenient"]:
        variants = ", ".join(f"`{id_}`" for id_ in entry["variants"])
        lenient.append(f"| {_cell(entry['text'])} | {variants} |")
    return "\n".join([*head, *rows, *lenient, ""])


def _requirement(id_: str, entry: dict[str, str], checks: list[str]) -> str:
    judged_by = ", ".join(f"`{check}`" for check in checks)
    if "left-out" in entry:
        judged_by = f"left out: {_cell(entry['left-out'])}"
    return f"| {id_} | {entry['level']} | {_cell(entry['text'])} | {judged_by or '**missing**'} |"


def example_run(started: str, seconds: float, *, fault: str = "", **options: Any) -> RunRecord:
    """A real run against the lab, with an address, a day and times that are always the same."""
    lab = Lab(faults=[fault] if fault else [])
    only = ["auth.x-api-key", "auth.bearer", "headers.request-id", "messages.shape"]
    with running(lab) as url:
        run = verify(
            Endpoint(url, lab.key, [lab.models[0].id]), Options(only=only, concurrency=1, **options)
        )
    text = encode(run).replace(url.encode(), b"https://gateway.example.com")
    run = decode(text, "example")
    exchanges = [
        replace(one, timing=Clock(headers=seconds / 2, total=seconds)) for one in run.exchanges
    ]
    return replace(run, started=started, duration_s=2 * seconds, exchanges=exchanges)


def example_waived() -> str:
    """The end of a report with a waiver that is used and one that is not."""
    known = parse_baseline(
        (ROOT / "examples/baseline.yaml").read_text(encoding="utf-8"), "baseline.yaml"
    )
    run = example_run("2026-11-25T08:00:00Z", 0.4, fault="auth-ignores-bearer")
    run = with_baseline(run, known, builtin().checks, day_of(run))
    waived = render(run).partition("── 1 waived")
    late = example_run("2027-03-01T08:00:00Z", 0.4)
    late = with_baseline(late, known, builtin().checks, day_of(late))
    stale = render(late).partition("── 2 stale")
    return _console(
        "metaio-verify check --baseline baseline.yaml",
        render(run).splitlines()[0],
        "…",
        "".join(waived[1:]).rstrip(),
    ) + _console(
        "metaio-verify check --baseline baseline.yaml   # in March 2027, after release 12",
        render(late).splitlines()[0],
        "…",
        "".join(stale[1:]).rstrip(),
    )


def example_compared() -> str:
    """Two runs side by side."""
    before = example_run("2026-11-24T08:00:00Z", 0.4)
    now = example_run("2026-11-25T08:00:00Z", 1.1, fault="auth-ignores-bearer")
    found = compare([Earlier("monday.json", before), Earlier("tuesday.json", now)])
    return _console(
        "metaio-verify compare monday.json tuesday.json", compared.render(found).rstrip()
    )


def _console(command: str, *lines: str) -> str:
    body = "\n".join([f"$ {command}", *lines])
    return f"```console\n{body}\n```\n"


def _filled(path: Path, **blocks: Callable[[], str]) -> str:
    """A page with its marked blocks made anew."""
    text = path.read_text(encoding="utf-8")
    for name, content in blocks.items():
        text = _with_block(text, name, content().removesuffix("\n"))
    return text


_EXAMPLES = {
    Format.TERMINAL: ("text", 36),
    Format.MARKDOWN: ("markdown", 24),
    Format.JSON: ("json", 24),
    Format.WIRE: ("text", 24),
    Format.JUNIT: ("xml", 24),
    Format.GITHUB: ("markdown", 38),
    Format.ANNOTATIONS: ("text", 10),
    Format.OUTPUTS: ("text", 20),
    Format.BADGE_JSON: ("json", 20),
}
"""Format → the language of its example, and how many lines of it are shown."""


def saved_run() -> RunRecord:
    """The saved run that the examples are made from."""
    return decode((ROOT / "examples/run.json").read_bytes(), "examples/run.json")


def formats() -> str:
    """The table of formats."""
    rows = [f"| `{one}` | {one.summary} | `{one.mode:o}` |" for one in Format]
    return "\n".join(["| format | what it is | file mode |", "|---|---|---:|", *rows])


def mapping() -> str:
    """What reports for CI systems make of each verdict."""
    words = {
        Kind.PASSED: ("passed", "–"),
        Kind.REMARK: ("passed, with `system-out`", "{}"),
        Kind.FAILED: ("`failure`", "error"),
        Kind.ERROR: ("`error`", "error"),
        Kind.SKIPPED: ("`skipped`, with the verdict and the reason", "–"),
    }
    lines = []
    for verdict, level, strict, note in _cases():
        judged = Judgement(check="x", level=level, verdict=verdict, contract=[])
        junit, annotated = words[kind(judged, strict=strict)]
        annotated = annotated.format("warning" if verdict is Verdict.WARN else "notice")
        lines.append(f"| `{verdict}`{note} | {verdict.meaning} | {junit} | {annotated} |")
    return "\n".join(["| verdict | meaning | JUnit | annotation |", "|---|---|---|---|", *lines])


def _cases() -> Iterator[tuple[Verdict, Level, bool, str]]:
    for verdict in Verdict:
        level = next((one for one in Level if one.when_violated is verdict), Level.MUST)
        if verdict.is_unknown:
            yield verdict, Level.MUST, False, " of a must-check"
            yield verdict, Level.SHOULD, False, " of another check"
        else:
            yield verdict, level, False, ""
        if verdict is Verdict.WARN:
            yield verdict, level, True, " with `--strict`"


def example(format_: Format) -> str:
    """The beginning of a report, as a block of code."""
    language, most = _EXAMPLES[format_]
    lines = format_.render(saved_run()).removesuffix("\n").split("\n")
    rest = [f"… ({len(lines) - most} more lines)"] if len(lines) > most else []
    return "\n".join([f"````{language}", *lines[:most], *rest, "````"])


def reports() -> str:
    """The page on reports, with its tables and examples."""
    text = (ROOT / "docs/reports.md").read_text(encoding="utf-8")
    blocks = {"formats": formats(), "mapping": mapping()}
    blocks |= {f"example:{one}": example(one) for one in _EXAMPLES}
    for name, content in blocks.items():
        text = _with_block(text, name, content)
    return text


def _with_block(text: str, name: str, content: str) -> str:
    """Replace what stands between a block's marks."""
    block = rf"(?<=<!-- {name} -->\n).*?(?=<!-- end -->)"
    return re.sub(block, lambda _: f"{content}\n", text, count=1, flags=re.DOTALL)


def generated() -> Iterator[tuple[Path, str]]:
    """Each file that is generated, wholly or in part, with what it should hold."""
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    for name, content in (("exit-codes", exit_codes), ("cost", cost), ("catalogue", catalogue)):
        text = _with_block(text, name, content())
    yield readme, text
    yield ROOT / "docs/reports.md", reports()
    for format_, path in ((Format.HTML, "report.html"), (Format.BADGE, "badge.svg")):
        yield ROOT / "examples/reports" / path, format_.render(saved_run())
    yield ROOT / "docs/defects.md", defects()
    yield ROOT / "checks/COVERAGE.md", coverage()
    schema = json.dumps(record_schema(), indent=2, ensure_ascii=False)
    yield ROOT / "docs/run-record.schema.json", f"{schema}\n"
    yield ROOT / "checks" / FILE_NAME, as_text()
    yield ROOT / "checks" / example_kept.FILE_NAME, kept_examples()
    yield ROOT / "docs" / baseline.FILE_NAME, baseline.as_text()
    for page, block, content in (
        ("baseline.md", "waived", example_waived),
        ("compare.md", "compared", example_compared),
    ):
        yield ROOT / "docs" / page, _filled(ROOT / "docs" / page, **{block: content})


_SLOW = (
    "connectivity.start-up-probes",
    "gateway-answers.left",
    "gateway-answers.on-time",
    "gateway-answers.pings",
    "streaming.incremental",
    "tools.arguments-incremental",
)
"""The checks whose example takes seconds to see."""


def kept_examples() -> str:
    """What the slow checks show on the lab; what still holds is not seen again."""
    suite, before = builtin(), example_kept.read()
    kept = {}
    for id_ in _SLOW:
        fault = suite.checks[id_].faults[0]
        mark = example_kept.mark(id_, fault, suite)
        there = before.get(id_)
        holds = there is not None and there.mark == mark
        kept[id_] = there if holds else example_kept.Kept(mark, seen(id_, fault))
    return example_kept.as_text(kept)


def picture() -> None:
    """Draw a run against a lab with two faults, as a terminal shows it."""
    from rich.console import Console  # noqa: PLC0415 - only for the picture
    from rich.terminal_theme import TerminalTheme  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from metaio_verify.report.surface import Surface  # noqa: PLC0415

    lab = Lab(faults=["tool-arguments-lost"])
    with running(lab, port=8765) as url:
        record = verify(Endpoint(url, lab.key, [lab.models[0].id]))
    theme = TerminalTheme(
        (16, 18, 24),
        (214, 218, 226),
        _DARK,
        _BRIGHT,
    )
    with Path("/dev/null").open("w") as nowhere:
        console = Console(record=True, width=80, file=nowhere, force_terminal=True)
        console.print(Text.from_ansi(render(record, Surface(width=80, colour=True, unicode=True))))
    svg = console.export_svg(title="metaio-verify check", theme=theme)
    # No page should load a font from elsewhere.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    (ROOT / "docs/demo.svg").write_text(svg, encoding="utf-8")


def main() -> None:
    """Write what is out of date."""
    for path, text in generated():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.relative_to(ROOT)}")
    if "--picture" in sys.argv:
        picture()


if __name__ == "__main__":
    main()

"""The report for a terminal: does it work, what counts, what was tried, what to mend."""

from __future__ import annotations

from metaio_verify.doctor.finding import Finding, Severity
from metaio_verify.doctor.live.asker import Try
from metaio_verify.doctor.report import Fact, Report
from metaio_verify.doctor.shells import Shell
from metaio_verify.report.layout import Page
from metaio_verify.report.surface import Surface
from metaio_verify.report.text import plural, seconds

_SIGNS = {
    Severity.PROBLEM: ("✗", "x", "bold red"),
    Severity.WARNING: ("!", "!", "yellow"),
}
_PROFILES = {
    Shell.BASH: "~/.bashrc",
    Shell.ZSH: "~/.zshrc",
    Shell.FISH: "~/.config/fish/config.fish",
    Shell.POWERSHELL: "$PROFILE",
}


def render(report: Report, surface: Surface | None = None) -> str:
    """Return the report as text, with escape sequences only if the surface shows colour."""
    page = Page(surface or Surface())
    _headline(page, report)
    page.blank()
    _configuration(page, report)
    _tries(page, report)
    _section(page, report, "problem", report.problems)
    _section(page, report, "warning", report.warnings)
    _closing(page, report)
    return str(page)


def _headline(page: Page, report: Report) -> None:
    where = report.destination or "your endpoint"
    if report.exit_code == 0:
        remark = f", with {plural(len(report.warnings), 'warning')}" if report.warnings else ""
        page.line((f"Claude Code reaches {where}: a message came back{remark}.", "bold green"))
    elif len(report.problems) == 1:
        page.line((f"Claude Code does not reach {where}: ", "bold red"), (_cause(report), "bold"))
    else:
        count = plural(len(report.problems), "problem")
        page.line((f"Claude Code does not reach {where}: {count}.", "bold red"))
        for problem in report.problems:
            page.line(
                (f"{page.mark('✗', 'x')} ", "bold red"), (problem.title, ""), indent=2, hang=2
            )


def _cause(report: Report) -> str:
    title = report.problems[0].title
    return title if title.endswith(".") else f"{title}."


def _configuration(page: Page, report: Report) -> None:
    page.line(("What Claude Code would use here", "bold"))
    if not report.facts[:1] or report.facts[0].name != "ANTHROPIC_BASE_URL":
        page.line(("ANTHROPIC_BASE_URL is not set: requests go to Anthropic.", ""), indent=2)
    for fact in report.facts:
        _fact(page, fact)
    page.line((f"Claude Code {report.client or 'is not on the PATH'}", ""), indent=2, hang=2)
    if report.settings:
        page.line((f"Settings: {', '.join(report.settings)}", "dim"), indent=2, hang=2)
    else:
        page.line(("There are no settings files.", "dim"), indent=2)


def _fact(page: Page, fact: Fact) -> None:
    page.line((f"{fact.name} ", "dim"), (fact.value, ""), indent=2, hang=2)
    if fact.origin:
        page.line((fact.origin, "dim"), indent=6, hang=2)
    for hidden in fact.hides:
        page.line((f"hides {hidden}", "yellow"), indent=6, hang=2)


def _tries(page: Page, report: Report) -> None:
    page.rule("Tried")
    if not report.tries:
        page.line(("Nothing was sent.", ""), indent=2)
    for one in report.tries:
        _try(page, one)


def _try(page: Page, one: Try) -> None:
    unicode, ascii_, style = ("✓", "+", "green") if one.ok else ("✗", "x", "red")
    page.line(
        (f"{page.mark(unicode, ascii_)} ", style),
        (one.request, ""),
        indent=2,
        hang=2,
    )
    status = str(one.status) if one.status else ""
    with_ = ", ".join(filter(None, [one.model, one.credential or "no credential"]))
    came = ", ".join(filter(None, [status, one.outcome, seconds(one.seconds)]))
    page.line((f"{with_} ", "dim"), (f"{page.mark('→', '->')} {came}", ""), indent=4, hang=2)


def _section(page: Page, report: Report, noun: str, found: list[Finding]) -> None:
    if not found:
        return
    page.rule(plural(len(found), noun), _SIGNS[found[0].severity][2])
    for finding in found:
        _finding(page, report, finding)
        page.blank()


def _finding(page: Page, report: Report, finding: Finding) -> None:
    unicode, ascii_, style = _SIGNS[finding.severity]
    page.line((f"{page.mark(unicode, ascii_)} ", style), (finding.title, "bold"), indent=2, hang=2)
    if finding.detail:
        page.line((finding.detail, ""), indent=4)
    for number, origin in enumerate(finding.origins):
        page.field("" if number else "From", (origin, ""), indent=4)
    page.field("Do", (finding.action, ""), indent=4)
    commands = finding.fix.commands.get(report.shell, [])
    if commands or finding.fix.json:
        page.blank()
    for line in commands:
        page.verbatim(line, indent=6)
    if finding.fix.json:
        page.verbatim(finding.fix.json, indent=6)


def _closing(page: Page, report: Report) -> None:
    shell = Shell(report.shell)
    if any(finding.fix.commands for finding in report.findings):
        page.blank()
        kept = f"to keep them, put them into {_PROFILES[shell]}"
        text = f"Lines to paste are for {shell} and last until the terminal is closed; {kept}."
        page.line((text, "dim"))
    if report.exit_code != 0:
        page.line(
            ("In a session of Claude Code, /status shows the base URL and the credential.", "dim")
        )

"""The onboarding page: what an operator gives to customers, made from what was measured.

A page of a run that failed or was not verified says so at the top, claims no verification, and
tells the operator how to mend what was found instead.
"""

from __future__ import annotations

from metaio_verify.record import RunRecord
from metaio_verify.report import capabilities, clients, reference, since, troubleshooting, waivers
from metaio_verify.report.advice import operational_advice
from metaio_verify.report.changes import changes
from metaio_verify.report.claims import claims
from metaio_verify.report.environment import PLACEHOLDER, reasons
from metaio_verify.report.facts import MESSAGES, MODELS, doubled_path
from metaio_verify.report.known import known_deviations
from metaio_verify.report.markup import (
    bullets,
    cell,
    code,
    fence,
    link,
    prose,
    sentence,
    table,
)
from metaio_verify.report.onboarding import Page, check_command, exports, open_page
from metaio_verify.report.summary import Outcome, narrowed
from metaio_verify.report.text import date, listed, plural, seconds
from metaio_verify.verdict import Level, Verdict

_REFERENCES = {
    "Claude Code settings": "https://code.claude.com/docs/en/settings",
    "Connect Claude Code to a gateway": "https://code.claude.com/docs/en/llm-gateway-connect",
    "Environment variables": "https://code.claude.com/docs/en/env-vars",
    "Messages API": "https://platform.claude.com/docs/en/api/messages/create",
}


def render(record: RunRecord, before: RunRecord | None = None) -> str:
    """Return the page as Markdown; with an earlier run, also what has changed since."""
    return "\n\n".join(filter(None, sections(open_page(record), before).values())) + "\n"


def sections(page: Page, before: RunRecord | None = None) -> dict[str, str]:
    """Return the parts of the page in their order; a template names them by these words."""
    return {
        "title": f"# Claude Code with {prose(page.host)}",
        "verdict": _callout(page),
        "clients": _clients(page),
        "changes": _changes(page, before) if before else "",
        "verified": _what_was_verified(page),
        "route": _recommended_route(page),
        "setup": _environment_set_up(page),
        "claims": _why_this_works(page),
        "models": _verified_models(page),
        "capabilities": _capabilities(page),
        "deviations": known_deviations(page),
        "reference": "" if page.works else reference.markdown(page.record),
        "since": "" if page.works else since.markdown(page.record),
        "advice": operational_advice(page),
        "troubleshooting": troubleshooting.render(page),
        "references": _references(page),
        "reproduce": _run_it_yourself(page),
    }


def _callout(page: Page) -> str:
    """The verdict, before anything else."""
    headline = sentence(page.summary.headline)
    stopped = page.record.stopped
    match page.summary.outcome:
        case Outcome.WORKS:
            lines = [f"**Verified on {page.date}.** {headline}."]
        case Outcome.BROKEN:
            lines = [f"**Not ready to publish.** {headline}."]
            lines += ["", "Mend what is listed under “Known deviations”, then run the check again."]
        case Outcome.NOT_VERIFIED:
            lines = [f"**Not ready to publish.** {headline}."]
            if stopped is not None and stopped.hints:
                lines += ["", *(f"- {sentence(hint)}" for hint in stopped.hints)]
    if options := narrowed(page.record.selection):
        part = ", ".join(map(code, options))
        lines += ["", f"Only a part of the suite was run ({part}); the rest is not known."]
    if stale := waivers.markdown(page.record):
        lines += ["", *stale.splitlines()]
    for notice in page.record.notices:
        lines += ["", sentence(notice)]
    return "\n".join(f"> {line}".rstrip() for line in lines)


def _clients(page: Page) -> str:
    """What breaks for whom, in one small table."""
    found = [] if page.never_began else clients.rows(page.record)
    if not found:
        return ""
    return table(["Client", "Result"], [[prose(one.client), sentence(one.text)] for one in found])


def _changes(page: Page, before: RunRecord) -> str:
    found = changes(before, page.record)
    parts = [f"## Changes since {date(before.started)}"]
    if not found:
        parts.append("Nothing that a client notices.")
    for title, items in (("Better", found.better), ("Worse", found.worse), ("Also", found.other)):
        if items:
            parts += [f"{title}:", bullets(map(sentence, items))]
    return "\n\n".join(parts)


def _what_was_verified(page: Page) -> str:
    record, cost = page.record, page.record.cost
    title, verb = "What was tested", "was tested"
    if page.works:
        title, verb = "What was verified", "was tested successfully"
    elif page.never_began:
        verb = "was to be tested"
    models = listed([code(model) for model in record.target.models]) or "none"
    spent = (
        f"{plural(cost.requests, 'request')}, {cost.input_tokens:,} input and "
        f"{plural(cost.output_tokens, 'output token')}, {seconds(record.duration_s)}"
    )
    facts = [
        f"{'Models' if len(record.target.models) > 1 else 'Model'} used: {models}",
        f"Result: {sentence(page.summary.headline)}",
        (
            f"Profile {code(record.selection.profile)} of {prose(record.tool.name)} "
            f"{prose(record.tool.version)}: {spent}"
        ),
    ]
    return "\n\n".join(
        [
            f"## {title}",
            f"On {page.date}, the Anthropic-compatible HTTP endpoint {verb} at:",
            fence([f"POST {page.base}{MESSAGES}"], "text"),
            bullets(facts),
            _counts(page),
        ]
    ).rstrip()


def _counts(page: Page) -> str:
    levels = page.summary.levels
    shown = [verdict for verdict in Verdict if any(levels[level][verdict] for level in Level)]
    if not shown or page.never_began:
        return ""
    rows = [
        [f"{level}-checks"] + [str(levels[level][verdict] or "–") for verdict in shown]
        for level in Level
        if levels[level].total()
    ]
    return table(["", *map(str, shown)], rows)


def _recommended_route(page: Page) -> str:
    found = page.discovery
    if found.is_served:
        models = f"lists {plural(len(found.listed), 'model')}"
    elif found.status is not None:
        models = f"not served, answered {found.status}; Claude Code uses its built-in list"
    else:
        models = "not measured"
    facts = [
        f"Client base URL: {code(page.base)}",
        f"Request route that Anthropic-style clients append to it: {code(MESSAGES)}",
        f"Model discovery route: {code(MODELS)} ({models})",
    ]
    return "\n\n".join(
        filter(None, ["## Recommended route for Claude Code", bullets(facts), _v1_warning(page)])
    )


def _v1_warning(page: Page) -> str:
    """The warning of the `/v1` mistake; only what was measured is said."""
    status = doubled_path(page.record)
    wrong = code(f"ANTHROPIC_BASE_URL={page.base}/v1")
    if status is not None and status < 400:
        return f"{wrong} was seen to answer too; the address above is the one that was verified."
    if status is not None:
        return (
            f"Do not set {wrong}: clients append {code(MESSAGES)} themselves, and "
            f"{code('POST /v1' + MESSAGES)} is answered {status} here."
        )
    given = page.record.target.given_url.rstrip("/")
    if given.startswith(page.base) and given != page.base:
        return (
            f"Do not set {code('ANTHROPIC_BASE_URL=' + given)}: clients append {code(MESSAGES)} "
            "themselves, and nothing answers there."
        )
    return ""


def _environment_set_up(page: Page) -> str:
    if page.variable is None:
        return (
            "## Environment setup\n\nNo way of sending the token worked in this run, so none can "
            "be recommended."
        )
    tried = ""
    if not page.works:
        names = listed([code(model) for model in page.verified])
        tried = f"Verified with {names} only." if names else "These settings are not verified."
    return "\n\n".join(
        filter(
            None,
            [
                "## Environment setup",
                tried,
                _where_to_put_them(page),
                bullets(_set_up_remarks(page)),
                *(f"### {block.title}\n\n{block.remark}\n\n{block.code}" for block in page.blocks),
            ],
        )
    )


def _where_to_put_them(page: Page) -> str:
    yours = "" if page.is_open else f", with your token for {code(PLACEHOLDER)}"
    return f"Put these variables in one of the places below{yours}."


def _set_up_remarks(page: Page) -> list[str]:
    remarks = []
    if page.is_open:
        remarks.append("This endpoint asks for no token; Claude Code still wants some value.")
    elif page.other_variable and page.other_works:
        remarks.append(
            f"{code(page.other_variable)} works as well as {code(page.variable or '')}. Set one of "
            "the two, not both."
        )
    elif page.other_variable:
        remarks.append(f"{code(page.other_variable)} does not work here: its header is refused.")
    remarks += [
        f"{listed(list(map(code, names)))}{'' if one.needed else ' (optional)'}: "
        f"{sentence(one.reason)}."
        for names, one in reasons(page.settings)
    ]
    remarks.append(
        f"Start {code('claude')} in the same shell; {code('/status')} must show {code(page.base)}."
    )
    return remarks


def _why_this_works(page: Page) -> str:
    found = claims(page.record)
    if not found:
        return ""
    title = "Why this works" if page.works else "What works so far"
    return (
        f"## {title}\n\nThe Anthropic-compatible path of {prose(page.host)} responds correctly "
        f"to:\n\n{bullets(found)}"
    )


def _verified_models(page: Page) -> str:
    verified = [result for result in page.summary.models if result.model in page.verified]
    others = [result for result in page.summary.models if result.model not in page.verified]
    parts = ["## Verified models"]
    if verified:
        parts.append(
            table(
                ["Model", "Must-checks", "Listed by discovery"],
                [
                    [
                        cell(result.model),
                        f"{result.musts[Verdict.PASS]} pass",
                        "yes" if result.model in page.discovery.listed else "no",
                    ]
                    for result in verified
                ],
            )
        )
    if others:
        parts.append(bullets(f"{code(one.model)}: {one.outcome}" for one in others))
    if not verified:
        parts.insert(1, "No model is verified.")
    return "\n\n".join(parts)


def _capabilities(page: Page) -> str:
    """Each model and each capability that its answers proved or ruled out."""
    found = capabilities.rows(page.record)
    if not found:
        return ""
    names = page.record.target.models
    rows = [[prose(one.name), *(_HAS[one.models[name]] for name in names)] for one in found]
    header = ["Learnt from answers", *map(cell, names)]
    return f"## Capabilities\n\n{table(header, rows)}"


_HAS = {True: "yes", False: "no", None: "not learnt"}


def _references(page: Page) -> str:
    items = [f"{name}: {link(url)}" for name, url in _REFERENCES.items()]
    sources = dict.fromkeys(source for one in page.deviations for source in one.info.sources)
    web = [source for source in sources if source.startswith("https://")]
    items += [link(source) for source in web if source not in _REFERENCES.values()]
    return f"## References\n\n{bullets(items)}"


def _run_it_yourself(page: Page) -> str:
    tool = page.record.tool
    return "\n\n".join(
        [
            "## Run it yourself",
            "The same check, with your own token:",
            fence([*exports(page, named=False), check_command(page.record)], "bash"),
            (
                f"This page was made by {prose(tool.name)} {prose(tool.version)} from the run of "
                f"{date(page.record.started)}. From the record that the command leaves, "
                f"{code('metaio-verify report run.json --as markdown')} makes it again; with "
                f"{code('--since run.json')}, the page of a later run says what changed."
            ),
        ]
    )

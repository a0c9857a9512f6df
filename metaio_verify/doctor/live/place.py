"""Why there is no API at the base URL, and where else below the same host it may live."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from metaio_verify.doctor.finding import Finding
from metaio_verify.doctor.live.bench import Bench, Step, base_url_origins, found
from metaio_verify.doctor.live.outcome import classify, header, said, status_of
from metaio_verify.doctor.names import BASE_URL
from metaio_verify.doctor.remedy import set_variable
from metaio_verify.probe.hints import USUAL_PREFIXES
from metaio_verify.probe.target import BaseUrl
from metaio_verify.record import Exchange
from metaio_verify.report.text import safe

_SAID = 200


async def missing(bench: Bench, exchange: Exchange) -> Step:
    """Nothing, or no API, answers POST /v1/messages."""
    better = bench.setup.base.without_mistake()
    if better is not None and await _lives(bench, better):
        return Step((), bench.setup.at(better))  # the rule on /v1 says what is wrong
    unasked = replace(bench.setup, query=False)
    if not classify(await bench.asker.message(unasked)).is_elsewhere:
        finding = found(
            "beta-query-not-routed",
            "The endpoint does not route /v1/messages?beta=true, which is how Claude Code asks",
            "Tell the operator: route on the path and ignore the query.",
            detail="Without the query it answers.",
            origins=base_url_origins(bench.configuration),
        )
        return Step([finding], unasked)
    for base in _elsewhere(bench.setup.base):
        if await _lives(bench, base):
            action, fix = set_variable(bench.configuration, BASE_URL, str(base))
            finding = found(
                "base-url-other-path",
                f"The API lives below {base}, not below {bench.setup.base}",
                action,
                origins=base_url_origins(bench.configuration),
                fix=fix,
            )
            return Step([finding], bench.setup.at(base))
    return Step([_nothing(bench, exchange)])


async def _lives(bench: Bench, base: BaseUrl) -> bool:
    """Whether an Anthropic-style API answers below a base URL, whatever it answers."""
    exchange = await bench.asker.message(bench.setup.at(base))
    outcome = classify(exchange)
    if status_of(exchange) in (0, *range(300, 400)) or outcome.is_elsewhere:
        return False
    return header(exchange, "content-type").startswith("application/json")


def _elsewhere(base: BaseUrl) -> Iterator[BaseUrl]:
    if base.prefix:
        yield BaseUrl(base.origin, "")
    for prefix in USUAL_PREFIXES:
        if not base.prefix.endswith(prefix):
            yield BaseUrl(base.origin, base.prefix + prefix)


def _nothing(bench: Bench, exchange: Exchange) -> Finding:
    status = status_of(exchange)
    kind = header(exchange, "content-type").partition(";")[0] or "no content type"
    text = safe(said(exchange), _SAID)
    if 200 <= status < 300:
        title = f"{bench.setup.base} answers, but not as an API"
        detail = f"It answers {status} with {kind} instead of a message."
        action = (
            "Is it the page of a web interface or a sign-in page? Ask the operator for the URL of "
            "the API."
        )
    else:
        title = f"There is no Anthropic-style API below {bench.setup.base}"
        detail = f"POST /v1/messages is answered {status}" + (f": “{text}”." if text else ".")
        action = (
            "Check the base URL with the operator. An endpoint that speaks OpenAI's API only does "
            "not serve Claude Code."
        )
    return found(
        "no-messages-api",
        title,
        action,
        detail=detail,
        origins=base_url_origins(bench.configuration),
    )

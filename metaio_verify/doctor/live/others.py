"""Answers that are neither about the way nor about the credential nor about the model."""

from __future__ import annotations

from dataclasses import replace

from metaio_verify.doctor.live.bench import Bench, Step, base_url_origins, found
from metaio_verify.doctor.live.outcome import Outcome, classify, said, status_of
from metaio_verify.doctor.names import BETAS, CUSTOM_HEADERS
from metaio_verify.doctor.remedy import RESTART, unset_variable
from metaio_verify.doctor.sent import CustomHeaders
from metaio_verify.record import Exchange
from metaio_verify.report.text import safe

_SAID = 200


async def rejected(bench: Bench, exchange: Exchange) -> Step:
    """The endpoint does not like the request; headers of the user are the first suspects."""
    value = bench.configuration.value(CUSTOM_HEADERS)
    if value is not None and bench.setup.custom.pairs:
        without = bench.setup.with_headers(CustomHeaders({}))
        if classify(await bench.asker.message(without)) is Outcome.MESSAGE:
            names = ", ".join(bench.setup.custom.pairs)
            finding = found(
                "custom-headers-refused",
                f"The endpoint refuses the headers of {CUSTOM_HEADERS}",
                f"Check or take out: {names}. {RESTART}",
                detail=_answer(exchange),
                origins=[value.origin],
            )
            return Step([finding], without)
    betas = bench.configuration.value(BETAS)
    if betas is not None:
        without = replace(bench.setup, betas="")
        if classify(await bench.asker.message(without)) is Outcome.MESSAGE:
            action, fix = unset_variable(bench.configuration, BETAS)
            finding = found(
                "betas-refused",
                f"The endpoint refuses the flags of {BETAS}",
                action,
                detail=_answer(exchange),
                origins=[betas.origin],
                fix=fix,
            )
            return Step([finding], without)
    return failing(bench, exchange)


def failing(bench: Bench, exchange: Exchange) -> Step:
    """The endpoint is there and does not do its work."""
    status = status_of(exchange)
    finding = found(
        "endpoint-fails",
        f"{bench.setup.base} cannot answer a simple message ({status})",
        "Tell the operator; metaio-verify check shows the exchange in full.",
        detail=_answer(exchange),
        origins=base_url_origins(bench.configuration),
    )
    return Step([finding])


def unpaid(bench: Bench, exchange: Exchange) -> Step:
    """The account has no money left."""
    finding = found(
        "out-of-credit",
        "The account of your token has no credit",
        "Top it up, or ask the operator.",
        detail=_answer(exchange),
        origins=base_url_origins(bench.configuration),
    )
    return Step([finding])


def busy(bench: Bench, exchange: Exchange) -> Step:
    """The endpoint limits the token, or has too much to do."""
    finding = found(
        "endpoint-busy",
        f"{bench.setup.base} has no room for you now ({status_of(exchange)})",
        "Wait and run the doctor again; if it stays so, ask the operator about the token's limits.",
        detail=_answer(exchange),
        origins=base_url_origins(bench.configuration),
    )
    return Step([finding])


def _answer(exchange: Exchange) -> str:
    text = safe(said(exchange), _SAID)
    return f"It says: “{text}”." if text else ""

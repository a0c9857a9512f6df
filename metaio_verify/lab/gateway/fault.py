"""Deliberate defects of gateways, declared with the decorators of this module; see `change`."""

from __future__ import annotations

from typing import Final

from metaio_verify.lab.gateway.change import GatewayRegistry

GATEWAY_FAULTS: Final = GatewayRegistry("fault of a gateway")
"""Id → fault. Complete once `metaio_verify.lab.gateway.faults` is imported; take it from
there."""

forward = GATEWAY_FAULTS.forward
send = GATEWAY_FAULTS.send
back = GATEWAY_FAULTS.back
relay = GATEWAY_FAULTS.relay

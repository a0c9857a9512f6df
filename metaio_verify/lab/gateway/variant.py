"""Legal differences between gateways, declared with the decorators of this module; see `change`."""

from __future__ import annotations

from typing import Final

from metaio_verify.lab.gateway.change import GatewayRegistry

GATEWAY_VARIANTS: Final = GatewayRegistry("variant of a gateway")
"""Id → variant. Complete once `metaio_verify.lab.gateway.variants` is imported; take it from
there."""

forward = GATEWAY_VARIANTS.forward
send = GATEWAY_VARIANTS.send
back = GATEWAY_VARIANTS.back
relay = GATEWAY_VARIANTS.relay

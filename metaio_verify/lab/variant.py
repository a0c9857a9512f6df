"""Legal differences: each variant changes one thing that the contract leaves open.

No check may fail because of one. A module of `variants/` declares them with the decorators of this
one; see `change`.
"""

from __future__ import annotations

from typing import Final

from metaio_verify.lab.change import Registry

VARIANTS: Final = Registry("variant")
"""Id → variant. Complete once `metaio_verify.lab.variants` is imported; take it from there."""

request = VARIANTS.request
refusal = VARIANTS.refusal
body = VARIANTS.body
message = VARIANTS.message
events = VARIANTS.events
wire = VARIANTS.wire
answer = VARIANTS.answer

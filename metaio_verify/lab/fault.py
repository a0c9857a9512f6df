"""Deliberate defects: each fault changes one thing on the wire that a client relies on.

A module of `faults/` declares them with the decorators of this one; see `change`.
"""

from __future__ import annotations

from typing import Final

from metaio_verify.lab.change import Registry

FAULTS: Final = Registry("fault")
"""Id → fault. Complete once `metaio_verify.lab.faults` is imported; take it from there."""

request = FAULTS.request
refusal = FAULTS.refusal
body = FAULTS.body
message = FAULTS.message
events = FAULTS.events
wire = FAULTS.wire
answer = FAULTS.answer
address = FAULTS.address

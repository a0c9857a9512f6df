"""The embedded endpoint: a conforming one, and its faults."""

from __future__ import annotations

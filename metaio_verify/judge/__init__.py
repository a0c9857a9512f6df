"""Judging: pure functions from evidence to verdicts. No network, no clock, no randomness."""

from __future__ import annotations

"""Trying it: a real message on the way of Claude Code, and why it does not come back."""

from __future__ import annotations

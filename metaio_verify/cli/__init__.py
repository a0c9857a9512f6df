"""Commands: parse arguments, call, print, return an exit code. No logic."""

from __future__ import annotations

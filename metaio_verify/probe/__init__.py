"""Firing: target, credentials, templates, HTTP, order and concurrency, redaction."""

from __future__ import annotations

"""Pure rules over what was read. Each gives the findings of one kind of mistake."""

from __future__ import annotations

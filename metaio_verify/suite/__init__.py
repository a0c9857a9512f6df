"""What a check file is: its model, loading with line-accurate errors, selection and lint."""

from __future__ import annotations

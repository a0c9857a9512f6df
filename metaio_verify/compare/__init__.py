"""Runs side by side: what changed, what moved, and how that looks in each format."""

"""`python -m metaio_verify`."""

from __future__ import annotations

from metaio_verify.cli.main import run

if __name__ == "__main__":
    run()

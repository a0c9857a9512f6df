"""Machines to examine: a file system of its own, an environment, a folder to work in."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from doctor.loopback import CERTIFICATES

from metaio_verify.doctor.machine import Machine

HOME = Path("/home/ada")
PROJECT = HOME / "project"
USER_SETTINGS = "/home/ada/.claude/settings.json"
PROJECT_SETTINGS = "/home/ada/project/.claude/settings.json"
LOCAL_SETTINGS = "/home/ada/project/.claude/settings.local.json"
MANAGED_SETTINGS = "/etc/claude-code/managed-settings.json"
STATE = "/home/ada/.claude.json"
TRUST = '{"projects": {"/home/ada/project": {"hasTrustDialogAccepted": true}}}'


def machine(
    root: Path,
    environ: Mapping[str, str] | None = None,
    files: Mapping[str, str] | None = None,
    *,
    cwd: Path = PROJECT,
    platform: str = "linux",
) -> Machine:
    """Build a machine below a folder; what begins with #! becomes a program."""
    (root / str(cwd).lstrip("/")).mkdir(parents=True, exist_ok=True)
    for path, text in (files or {}).items():
        real = root / path.lstrip("/")
        real.parent.mkdir(parents=True, exist_ok=True)
        real.write_bytes(text.encode("utf-8", "surrogateescape"))
        if text.startswith("#!"):
            real.chmod(0o755)
    trusted = root / "etc/certificates"
    shutil.copytree(CERTIFICATES, trusted, dirs_exist_ok=True)
    plain = {"PATH": "/usr/bin:/bin", "SHELL": "/bin/bash", "HOME": str(HOME)}
    return Machine({**plain, **(environ or {})}, cwd, HOME, platform, root)

"""What every page for a browser has in common: its style, its policy, and a template that escapes.

A page is one file that loads nothing. Its policy forbids every address, and every style and script
but its own.
"""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

from metaio_verify.report.text import safe


def environment(package: str) -> jinja2.Environment:
    """Return what makes pages of the templates of a package; strings of a server pass `safe`."""
    made = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: _file(package, name)),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["safe_text"] = safe
    return made


def page(template: jinja2.Template, package: str, style: str, script: str, **values: Any) -> str:
    """Return a page: its own style comes after the one that all pages share.

    Args:
        template: what makes it
        package: where its style and script are
        style: the name of its style
        script: the name of its script; empty for a page that has none
        values: what the template prints

    """
    css = _file(__package__ or "", "base.css") + "\n" + _file(package, style)
    js = _file(package, script) if script else ""
    made = template.render(
        **values,
        style=Markup(css),  # noqa: S704 - both are files of this package
        script=Markup(js),  # noqa: S704
        policy=_policy(css, js),
    )
    return made.rstrip("\n") + "\n"


def _policy(style: str, script: str) -> str:
    rules = {
        "default-src": "'none'",
        "style-src": _hash(style),
        **({"script-src": _hash(script)} if script else {}),
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _file(package: str, name: str) -> str:
    return files(package).joinpath("templates", name).read_text(encoding="utf-8")

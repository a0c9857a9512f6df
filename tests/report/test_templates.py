"""Onboarding pages from a template of the operator's own, in real processes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from cli.process import run
from report.records import clean, failing, hostile

from metaio_verify.errors import UserError
from metaio_verify.report.json import encode
from metaio_verify.report.markdown import render
from metaio_verify.report.template import VARIABLES, Template, variables

ROOT = Path(__file__).parents[2]


def template(folder: Path, text: str) -> Template:
    """A template with this text."""
    path = folder / "page.md.j2"
    path.write_text(text, encoding="utf-8")
    return Template(path)


def test_the_example_makes_a_page(tmp_path: Path) -> None:
    """From a saved run, with what changed since an earlier one."""
    for name, record in (("now", clean()), ("before", failing())):
        (tmp_path / f"{name}.json").write_bytes(encode(record))
    done = run(
        *("report", "now.json", "--as", "markdown", "--since", "before.json"),
        *("--template", str(ROOT / "examples" / "onboarding.md.j2")),
        cwd=tmp_path,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("# Use Claude Code with gateway.example\n\nVerified on ")
    assert '"ANTHROPIC_BASE_URL": "https://gateway.example"' in done.stdout
    assert "Since " in done.stdout
    assert "## Troubleshooting" in done.stdout


def test_our_own_page_can_be_put_together_from_its_sections(tmp_path: Path) -> None:
    """The sections are Markdown already, and are all of the page."""
    text = "{% for name, text in sections.items() if text %}{{ text }}\n\n{% endfor %}"
    assert template(tmp_path, text).render(failing()).rstrip() == render(failing()).rstrip()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{{ sections.stup }}", "page.md.j2:1: 'dict object' has no attribute 'stup'"),
        ("a\n{{ 1 / 0 }}", "page.md.j2:2: division by zero"),
        ("{{ host + 1 }}", "page.md.j2:1: "),
        ("{{ models[7].id }}", "page.md.j2:1: list object has no element 7"),
        ("{{ 'x' * 9000000000000000000 }}", "page.md.j2:1: "),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, says: str, tmp_path: Path) -> None:
    """When the page is made."""
    with pytest.raises(UserError, match=re.escape(says)):
        template(tmp_path, text).render(clean())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a\n{{ bse_url }}", "page.md.j2:2: 'bse_url' is undefined\n  did you mean base_url?"),
        (
            "{% for a in models %}{{ zzz }}{% endfor %}",
            "page.md.j2:1: 'zzz' is undefined",
        ),
        ("a\nb\n{% for x in %}", "page.md.j2:3: "),
        ("{{ host|safe }}", "page.md.j2:1: No filter named 'safe'"),
        ("{{ host|escape }}", "page.md.j2:1: No filter named 'escape'"),
        (f"{{{{ {'(' * 3000}1{')' * 3000} }}}}", "page.md.j2: an expression is nested too deeply"),
        (f"{{{{ {'-'.join('1' * 9000)} }}}}", "page.md.j2: an expression is nested too deeply"),
        (f"{{{{ {'[' * 240}1{']' * 240} }}}}", "page.md.j2: an expression is nested too deeply"),
    ],
)
def test_what_cannot_be_read_is_told_before_the_run(text: str, says: str, tmp_path: Path) -> None:
    """With file and line."""
    with pytest.raises(UserError, match=re.escape(says)):
        template(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    [
        "{{ host.__class__ }}",
        "{{ ''['__class__'] }}",
        "{{ host|attr('__class__') }}",
        "{{ '{0.__class__}'.format(host) }}",
        "{{ sections.items.__globals__ }}",
        "{{ self._TemplateReference__context }}",
        "{% set _ = models.append(1) %}{{ models.pop() }}",
        "{% include '/etc/hostname' %}",
        "{% import 'os' as os %}",
        "{% extends 'x' %}",
        "{{ cycler('a').__init__.__globals__ }}",
        "{{ lipsum.__globals__ }}",
    ],
)
def test_nothing_leads_out_of_the_sandbox(text: str, tmp_path: Path) -> None:
    """No attribute of Python, no other file, nothing that changes a value."""
    with pytest.raises(UserError, match=r"page\.md\.j2:1: "):
        template(tmp_path, text).render(clean())


@pytest.mark.parametrize(
    "text",
    [
        "{% for one in deviations %}{{ one.actual }}{% endfor %}",
        "{% for one in deviations %}{{ one.actual ~ '' }}{% endfor %}",
        "{% for one in deviations %}{{ one.actual|upper|lower }}{% endfor %}",
        "{{ deviations|map(attribute='actual')|join('') }}",
        "{{ deviations }}",
        "{{ (sections.title ~ deviations[0].actual) }}",
    ],
)
def test_what_a_server_wrote_is_escaped_however_it_is_printed(text: str, tmp_path: Path) -> None:
    """Neither HTML nor a link nor a heading comes of it."""
    page = template(tmp_path, text).render(hostile())
    assert "<script" not in page
    assert "](" not in re.sub(r"\\.", "", page)
    assert not re.search(r"^#", page, re.MULTILINE)


def test_values_become_code_where_the_template_says_so(tmp_path: Path) -> None:
    """By the filters, which make Markdown of them."""
    text = (
        "{{ base_url|code }} {{ '`a` b_c'|sentence }} {{ 'a b'|shell }} {{ works }} {{ requests }}"
    )
    record = clean()
    assert template(tmp_path, text).render(record) == (
        f'`https://gateway.example` `a` `b_c` "a b" yes {record.cost.requests}\n'
    )


def test_a_template_may_ask_for_what_later_versions_have(tmp_path: Path) -> None:
    """What it looks for before it uses it is no mistake."""
    text = "{% if later is defined %}{{ later }}{% else %}{{ range(2)|length }}{% endif %}"
    assert template(tmp_path, text).render(clean()) == "2\n"


def test_the_variables_are_known_before_there_is_a_record() -> None:
    """So that a wrong name is told before anything is sent."""
    assert tuple(variables(clean())) == VARIABLES


def test_each_variable_is_documented() -> None:
    """And each section and block."""
    text = (ROOT / "docs" / "templates.md").read_text(encoding="utf-8")
    values = variables(clean())
    names = [*values, *values["sections"], *values["blocks"], *values["changes"]]
    names += [*values["models"][0], *values["clients"][:1], *values["settings"][0]]
    names += variables(failing())["deviations"][0]
    assert [name for name in names if f"`{name}`" not in text] == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--template", "missing.j2", "--report", "markdown=p.md"], "missing.j2: cannot be read"),
        (["--template", "bad.j2", "--report", "markdown=p.md"], "bad.j2:2: "),
        (["--template", "bad.j2"], "--template belongs to the onboarding page"),
        (["--since", "missing.json", "--report", "markdown=p.md"], "missing.json: the run record"),
        (
            ["--since", "bad.j2", "--report", "json=r.json"],
            "--since belongs to the onboarding page",
        ),
    ],
)
def test_a_run_does_not_begin_with_a_bad_template(
    arguments: list[str], says: str, tmp_path: Path
) -> None:
    """Exit code 2; no file is left."""
    (tmp_path / "bad.j2").write_text("a\n{% if %}", encoding="utf-8")
    environment = {"ANTHROPIC_BASE_URL": "http://127.0.0.1:1", "ANTHROPIC_API_KEY": "k"}
    done = run("check", *arguments, cwd=tmp_path, env=environment)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["bad.j2"]


def test_jinja_is_imported_for_a_template_only() -> None:
    """It would slow every start down."""
    code = "import sys, metaio_verify.report.markdown; sys.exit('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

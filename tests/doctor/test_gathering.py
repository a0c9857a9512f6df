from __future__ import annotations

import json
from pathlib import Path

import pytest
from doctor.machines import (
    HOME,
    LOCAL_SETTINGS,
    MANAGED_SETTINGS,
    PROJECT,
    PROJECT_SETTINGS,
    STATE,
    TRUST,
    USER_SETTINGS,
    machine,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st

from metaio_verify.doctor.gather import gather
from metaio_verify.doctor.models import further_models, main_model
from metaio_verify.doctor.settings import Scope, parse

NAME = "ANTHROPIC_BASE_URL"
DROP_IN = "/etc/claude-code/managed-settings.d/{}.json"
COMMAND_LINE = "--settings"
LEVELS = (
    (DROP_IN.format("20-late"), Scope.MANAGED),
    (DROP_IN.format("10-early"), Scope.MANAGED),
    (MANAGED_SETTINGS, Scope.MANAGED),
    (COMMAND_LINE, Scope.COMMAND_LINE),
    (LOCAL_SETTINGS, Scope.LOCAL),
    (PROJECT_SETTINGS, Scope.PROJECT),
    (USER_SETTINGS, Scope.USER),
    ("environment", Scope.SHELL),
)
"""Where a variable can be set, those that win first."""


def setting(value: str) -> str:
    """Return a settings file that sets the variable."""
    return json.dumps({"env": {NAME: value}})


@pytest.mark.parametrize("winner", range(len(LEVELS)))
def test_the_highest_level_counts_and_hides_the_others(winner: int, tmp_path: Path) -> None:
    """A variable that is set at a level and at all lower ones counts as the level says."""
    places = [place for place, _ in LEVELS[winner:]]
    files = {place: setting(place) for place in places if place.startswith("/")}
    computer = machine(tmp_path, {NAME: "environment"}, files)
    given_ = setting(COMMAND_LINE) if COMMAND_LINE in places else None
    value = gather(computer, settings=given_).value(NAME)
    assert value is not None
    assert [value.text, *(one.text for one in value.hides)] == places
    assert value.origin.scope is LEVELS[winner][1]


def test_the_origin_names_file_line_and_key(tmp_path: Path) -> None:
    """A person finds the line at once."""
    text = (
        '{\n  "model": "opus",\n  "env": {\n    "ANTHROPIC_BASE_URL": "https://g.example"\n  }\n}'
    )
    value = gather(machine(tmp_path, files={USER_SETTINGS: text})).value(NAME)
    assert str(value and value.origin) == "~/.claude/settings.json:4 env.ANTHROPIC_BASE_URL"


def test_an_empty_value_cancels_the_shell(tmp_path: Path) -> None:
    """An empty text in a settings file means that the variable is not set."""
    configuration = gather(machine(tmp_path, {NAME: "https://g"}, {USER_SETTINGS: setting("")}))
    assert configuration.value(NAME) is None
    assert configuration.base_url == ""


def test_the_local_file_of_a_repository_is_at_its_root(tmp_path: Path) -> None:
    """From a folder below, the root's local settings are read, the root's shared ones are not."""
    files = {LOCAL_SETTINGS: setting("local"), PROJECT_SETTINGS: setting("shared")}
    computer = machine(tmp_path, files=files, cwd=PROJECT / "src")
    (tmp_path / "home/ada/project/.git").mkdir()
    assert gather(computer).text(NAME) == "local"
    (tmp_path / LOCAL_SETTINGS.lstrip("/")).unlink()
    assert gather(computer).text(NAME) == ""


def test_the_home_folder_is_no_project(tmp_path: Path) -> None:
    """In the home folder the user's settings are read once, as the user's."""
    computer = machine(tmp_path, files={USER_SETTINGS: setting("user")}, cwd=HOME)
    assert [file.scope for file in gather(computer).files] == [Scope.USER]


def test_config_dir_moves_the_user_settings(tmp_path: Path) -> None:
    """With CLAUDE_CONFIG_DIR the settings of ~/.claude are not read."""
    files = {USER_SETTINGS: setting("home"), "/srv/claude/settings.json": setting("work")}
    computer = machine(tmp_path, {"CLAUDE_CONFIG_DIR": "/srv/claude"}, files)
    assert gather(computer).text(NAME) == "work"


@pytest.mark.parametrize(
    ("platform", "folder"),
    [
        ("linux", "/etc/claude-code"),
        ("darwin", "/Library/Application Support/ClaudeCode"),
    ],
)
def test_managed_settings_have_their_place_on_each_system(
    platform: str, folder: str, tmp_path: Path
) -> None:
    """The administrator's file is found where the system keeps it."""
    files = {f"{folder}/managed-settings.json": setting("managed")}
    assert gather(machine(tmp_path, files=files, platform=platform)).text(NAME) == "managed"


@pytest.mark.parametrize(
    ("state", "trusted"),
    [
        ("{}", False),
        (TRUST, True),
        ('{"projects": {"/home/ada": {"hasTrustDialogAccepted": true}}}', True),
        ('{"projects": {"/home/ada/project": {"hasTrustDialogAccepted": false}}}', False),
        ('{"projects": {"/home/ada/other": {"hasTrustDialogAccepted": true}}}', False),
        ("[1", False),
        ('{"projects": [1]}', False),
    ],
)
def test_a_folder_is_trusted_if_it_or_one_above_was(
    state: str, *, trusted: bool, tmp_path: Path
) -> None:
    """What Claude Code remembers decides; what it cannot read trusts nobody."""
    assert gather(machine(tmp_path, files={STATE: state})).trusted is trusted


def test_trust_ends_at_a_repository_inside_another(tmp_path: Path) -> None:
    """A repository that lies in a trusted one has to be trusted by itself."""
    state = '{"projects": {"/home/ada": {"hasTrustDialogAccepted": true}}}'
    computer = machine(tmp_path, files={STATE: state})
    for folder in ("home/ada/.git", "home/ada/project/.git"):
        (tmp_path / folder).mkdir()
    assert not gather(computer).trusted


MODELS = {
    "nothing": ({}, {}, "", "claude-opus-5-5"),
    "variable": ({"ANTHROPIC_MODEL": "gpt-5.4"}, {}, "", "gpt-5.4"),
    "variable-beats-setting": ({"ANTHROPIC_MODEL": "a"}, {"model": "b"}, "", "a"),
    "command-line-beats-variable": ({"ANTHROPIC_MODEL": "a"}, {}, "b", "b"),
    "setting": ({}, {"model": "b"}, "", "b"),
    "setting-beats-default": ({"ANTHROPIC_DEFAULT_MODEL": "a"}, {"model": "b"}, "", "b"),
    "default-model": ({"ANTHROPIC_DEFAULT_MODEL": "a"}, {}, "", "a"),
    "default-model-haiku": ({"ANTHROPIC_DEFAULT_MODEL": "haiku"}, {}, "", "claude-opus-5-5"),
    "alias": ({"ANTHROPIC_MODEL": "sonnet"}, {}, "", "claude-sonnet-5-5"),
    "alias-with-context": ({"ANTHROPIC_MODEL": "sonnet[1m]"}, {}, "", "claude-sonnet-5-5"),
    "plan-alias": ({"ANTHROPIC_MODEL": "opusplan"}, {}, "", "claude-sonnet-5-5"),
    "pinned-alias": (
        {"ANTHROPIC_MODEL": "opus", "ANTHROPIC_DEFAULT_OPUS_MODEL": "qwen"},
        {},
        "",
        "qwen",
    ),
    "pinned-default": ({"ANTHROPIC_DEFAULT_OPUS_MODEL": "qwen"}, {}, "", "qwen"),
}


@pytest.mark.parametrize(("environ", "user", "asked", "id_"), MODELS.values(), ids=MODELS)
def test_the_model_of_a_session(
    environ: dict[str, str], user: dict[str, str], asked: str, id_: str, tmp_path: Path
) -> None:
    """The command line wins over ANTHROPIC_MODEL, that over `model`, that over the default."""
    computer = machine(tmp_path, environ, {USER_SETTINGS: json.dumps(user)})
    assert main_model(gather(computer, model=asked)).id == id_


@pytest.mark.parametrize(
    ("environ", "id_"),
    [
        ({}, "claude-haiku-5-5"),
        ({"ANTHROPIC_SMALL_FAST_MODEL": "old"}, "old"),
        ({"ANTHROPIC_SMALL_FAST_MODEL": "old", "ANTHROPIC_DEFAULT_HAIKU_MODEL": "new"}, "new"),
    ],
)
def test_the_model_of_the_background(environ: dict[str, str], id_: str, tmp_path: Path) -> None:
    """The deprecated variable counts only without the present one."""
    assert further_models(gather(machine(tmp_path, environ)))[0].id == id_


FLAWS = {
    "trailing-comma": ('{\n  "env": {"A": "b"},\n}', "a comma stands before a closing bracket", 3),
    "comment": ('{\n  // mine\n  "env": {}\n}', "it holds a comment", 2),
    "curly": ("{\n  “env”: {}\n}", "quotes that are not plain", 2),
    "single": ("{'env': {}}", "quotes that are not plain", 1),
    "comma": ('{"a": 1\n "b": 2}', "a comma is missing", 2),
    "cut": ('{"env": {', "it ends too early", 1),
    "empty": ("", "it is empty", 1),
    "list": ("[]", "it is not a JSON object", None),
    "env-text": ('{"env": "A=b"}', "its env is not an object", 1),
    "env-null": ('{"env": {"A": null}}', "its env.A is not a text", 1),
    "beside": ('{\n"ANTHROPIC_API_KEY": "k"}', "ANTHROPIC_API_KEY stands beside env", 2),
    "twice": ('{"env": {},\n "env": {}}', 'it holds "env" twice', 1),
}


@pytest.mark.parametrize(("text", "message", "line"), FLAWS.values(), ids=FLAWS)
def test_a_flaw_of_a_settings_file_is_named_with_its_line(
    text: str, message: str, line: int | None
) -> None:
    """A person reads what is wrong and where."""
    (flaw,) = parse(Scope.USER, "settings.json", text).flaws
    assert message in flaw.message
    assert flaw.line == line


@given(st.text())
def test_no_text_of_a_settings_file_is_too_strange(text: str) -> None:
    """Whatever a file holds, reading it ends in data or in flaws."""
    file = parse(Scope.USER, "settings.json", text)
    assert file.data or file.flaws or text.strip() == "{}"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
_KEYS = ("env", "model", "apiKeyHelper", "availableModels", "forceLoginMethod", "projects")


@settings(deadline=None, max_examples=40)
@given(st.dictionaries(st.sampled_from(_KEYS), _JSON))
@example({"model": "\r"})
@example({"env": {"ANTHROPIC_MODEL": " [1m]"}})
def test_values_of_any_kind_are_borne(
    tmp_path_factory: pytest.TempPathFactory, data: object
) -> None:
    """Values of the wrong kind count as not set."""
    text = json.dumps(data)
    computer = machine(tmp_path_factory.mktemp("m"), files={USER_SETTINGS: text, STATE: text})
    assert main_model(gather(computer)).id

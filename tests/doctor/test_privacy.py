"""Who gets to see the key."""

from __future__ import annotations

import json
from pathlib import Path

from doctor.loopback import KEY, Running, always, gateway, redirects, relay
from doctor.machines import PROJECT_SETTINGS, USER_SETTINGS, machine

from metaio_verify.doctor import helper
from metaio_verify.doctor.gather import gather
from metaio_verify.doctor.report import Report
from metaio_verify.doctor.run import Wishes, examine


def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    """The server that a redirect names is never asked."""
    with Running(gateway()) as other:
        elsewhere = f"http://127.0.0.1:{other.port}/v1/messages"
        with Running(redirects(lambda _: elsewhere)) as first:
            environ = {"ANTHROPIC_BASE_URL": url(first), "ANTHROPIC_AUTH_TOKEN": KEY}
            report = examine(machine(tmp_path, environ), Wishes())
    assert [one.id for one in report.problems] == ["base-url-redirects"]
    assert other.seen == []


def test_the_other_scheme_is_tried_without_the_key(tmp_path: Path) -> None:
    """A server behind the same host and port that is asked in the other scheme sees no key."""
    with Running(gateway()) as server:
        environ = {
            "ANTHROPIC_BASE_URL": f"https://127.0.0.1:{server.port}",
            "ANTHROPIC_AUTH_TOKEN": KEY,
        }
        examine(machine(tmp_path, environ), Wishes())
    assert server.seen
    assert not any(one.has_credential for one in server.seen)


def test_the_way_around_a_proxy_is_tried_without_the_key(tmp_path: Path) -> None:
    """Whether the endpoint answers directly is seen before a key goes there."""
    with Running(always(502, "<html>")) as proxy, Running(gateway()) as server:
        environ = {
            "ANTHROPIC_BASE_URL": url(server),
            "ANTHROPIC_AUTH_TOKEN": KEY,
            "HTTP_PROXY": url(proxy),
        }
        examine(machine(tmp_path, environ), Wishes())
    assert not server.seen[0].has_credential


def test_a_key_of_another_place_is_not_tried(tmp_path: Path) -> None:
    """Of a key that settings hide, the endpoint learns nothing."""
    hidden = "sk-other-0a1b2c3d4e5f6a7b8c"
    with Running(gateway()) as server:
        environ = {"ANTHROPIC_BASE_URL": url(server), "ANTHROPIC_AUTH_TOKEN": hidden}
        files = {USER_SETTINGS: json.dumps({"env": {"ANTHROPIC_AUTH_TOKEN": "sk-wrong-one-00000"}})}
        examine(machine(tmp_path, environ, files), Wishes())
    assert server.seen
    assert not any(hidden in value for one in server.seen for value in one.headers.values())


def test_a_folder_that_is_not_trusted_learns_nothing(tmp_path: Path) -> None:
    """Where a repository's settings name the endpoint, nothing is sent before it is trusted."""
    with Running(gateway()) as server:
        files = {PROJECT_SETTINGS: json.dumps({"env": {"ANTHROPIC_BASE_URL": url(server)}})}
        report = examine(machine(tmp_path, {"ANTHROPIC_AUTH_TOKEN": KEY}, files), Wishes())
    assert server.seen == []
    assert report.tries == []


def test_an_address_that_its_user_names_is_tried(tmp_path: Path) -> None:
    """With --base-url its user vouches for the address; the rest of the folder stays untrusted."""
    with Running(gateway()) as server:
        files = {PROJECT_SETTINGS: json.dumps({"env": {"ANTHROPIC_BASE_URL": url(server)}})}
        computer = machine(tmp_path, {"ANTHROPIC_AUTH_TOKEN": KEY}, files)
        report = examine(computer, Wishes(base_url=url(server)))
    assert report.answered
    assert [one.id for one in report.problems] == ["folder-not-trusted"]


def helper_report(root: Path, *, run_helper: bool | None) -> Report:
    """Diagnose a folder whose settings, not trusted, name a helper that leaves a trace."""
    trace = root / "ran"
    with Running(gateway()) as server:
        files = {PROJECT_SETTINGS: json.dumps({"apiKeyHelper": f"touch '{trace}'; echo {KEY}"})}
        computer = machine(root, {"ANTHROPIC_BASE_URL": url(server)}, files)
        return examine(computer, Wishes(run_helper=run_helper))


def test_a_helper_of_a_folder_that_is_not_trusted_is_not_run(tmp_path: Path) -> None:
    """Cloning a repository is no consent to run its commands."""
    report = helper_report(tmp_path, run_helper=None)
    assert not (tmp_path / "ran").exists()
    assert [one.id for one in report.problems] == ["folder-not-trusted"]


def test_a_helper_is_run_when_its_user_says_so(tmp_path: Path) -> None:
    """--run-helper is consent."""
    report = helper_report(tmp_path, run_helper=True)
    assert (tmp_path / "ran").exists()
    assert report.answered


def test_a_helper_is_not_run_when_its_user_says_so(tmp_path: Path) -> None:
    """--no-run-helper wins over the trust of one's own settings, and the report says so."""
    files = {USER_SETTINGS: json.dumps({"apiKeyHelper": f"touch '{tmp_path / 'ran'}'"})}
    computer = machine(tmp_path, {"ANTHROPIC_BASE_URL": "http://127.0.0.1:9"}, files)
    report = examine(computer, Wishes(run_helper=False))
    assert not (tmp_path / "ran").exists()
    assert [one.id for one in report.warnings] == ["helper-not-run"]
    assert report.exit_code == 3


def test_a_helper_that_hangs_is_given_up(tmp_path: Path) -> None:
    """A helper that waits for something does not hold up the doctor."""
    files = {USER_SETTINGS: json.dumps({"apiKeyHelper": "sleep 60"})}
    helped = helper.run(gather(machine(tmp_path, files=files)), "sleep 60", 0.05)
    assert helped.defect == "is not finished after 0.05 s"


def test_a_server_that_echoes_the_key_does_not_make_it_visible(tmp_path: Path) -> None:
    """What a server says is repeated without the key in it."""
    echo = always(401, {"error": {"message": f"{KEY} is revoked"}})
    with Running(echo) as server:
        environ = {"ANTHROPIC_BASE_URL": url(server), "ANTHROPIC_AUTH_TOKEN": KEY}
        report = examine(machine(tmp_path, environ), Wishes())
    assert KEY not in str(report)
    assert "is revoked" in report.problems[0].detail


def test_the_password_of_a_proxy_stays_with_the_proxy(tmp_path: Path) -> None:
    """The proxy gets its password, the endpoint does not, and nobody sees it."""
    with Running(gateway()) as server, Running(relay(server.port)) as proxy:
        environ = {
            "ANTHROPIC_BASE_URL": "http://gateway.invalid",
            "ANTHROPIC_AUTH_TOKEN": KEY,
            "HTTPS_PROXY": f"http://ada:hunter2-secret@127.0.0.1:{proxy.port}",
        }
        report = examine(machine(tmp_path, environ), Wishes())
    assert report.answered
    assert "proxy-authorization" in proxy.seen[0].headers
    assert "hunter2" not in str(report)


def url(server: Running) -> str:
    """Return the base URL of a server."""
    return f"http://127.0.0.1:{server.port}"

"""A case: everything that was read before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from metaio_verify.doctor.configuration import Configuration
from metaio_verify.doctor.finding import Finding, Fix, Severity, Suspicion
from metaio_verify.doctor.helper import Helped
from metaio_verify.doctor.installed import Client, Session
from metaio_verify.doctor.names import OAUTH_TOKEN, SECRETS
from metaio_verify.doctor.network import proxy
from metaio_verify.doctor.secrets import in_user_info
from metaio_verify.doctor.sent import bare, custom_headers

OFFICIAL = "api.anthropic.com"
_SECRET_HEADERS = ("key", "token", "auth", "secret", "cookie", "password", "credential")


@dataclass(frozen=True)
class Case:
    """What the rules and the live test work on."""

    configuration: Configuration
    client: Client | None = None
    sessions: Sequence[Session] | None = None
    """Running sessions; none when this system does not show them."""
    helped: Helped | None = None
    """What the apiKeyHelper gave; none when it was not run."""

    @property
    def destination(self) -> str:
        """The base URL to try: the one that its user wants, otherwise the one that is set."""
        return self.configuration.wanted or self.configuration.base_url

    @property
    def is_official(self) -> bool:
        """Whether the destination is Anthropic's own API."""
        return is_official(self.destination)

    @property
    def secrets(self) -> list[str]:
        """Every secret that was read, used or not, in each form that it was read in."""
        configuration = self.configuration
        values = [
            value.text
            for name in SECRETS
            if (top := configuration.variables.get(name))
            for value in (top, *top.hides)
        ]
        values += [configuration.text(OAUTH_TOKEN), self.helped.key if self.helped else ""]
        for name, value in custom_headers(configuration).pairs.items():
            if any(word in name.lower() for word in _SECRET_HEADERS):
                values += [value, value.removeprefix("Bearer ")]
        if used := proxy(configuration):
            values += in_user_info(used.url)
        for session in self.sessions or ():
            values += [session.environ.get(name, "") for name in SECRETS]
        forms = [form for value in values for form in (value, value.strip(), bare(value))]
        return list(dict.fromkeys(filter(None, forms)))


def is_official(url: str) -> bool:
    """Whether a base URL is Anthropic's own."""
    try:
        return urlsplit(url.strip()).hostname == OFFICIAL
    except ValueError:
        return False


def suspect(
    id_: str,
    title: str,
    action: str,
    *,
    detail: str = "",
    origins: Sequence[object] = (),
    fix: Fix | None = None,
    severity: Severity = Severity.PROBLEM,
    if_answered: Severity | None = Severity.WARNING,
) -> Suspicion:
    """Return a suspicion; `if_answered` is what is left of it when a message comes back."""
    finding = Finding(
        id=id_,
        severity=severity,
        title=title,
        detail=detail,
        origins=[str(origin) for origin in origins],
        action=action,
        fix=fix or Fix(),
    )
    return Suspicion(finding=finding, if_answered=if_answered)


Suspicions = Iterator[Suspicion]
"""What a rule gives."""

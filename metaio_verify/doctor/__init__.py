"""The doctor finds out why Claude Code on this machine does not reach the endpoint.

`gather` reads what Claude Code reads, `diagnose` applies pure rules to it, `live` tries it. None of
it writes anything, and the credential goes to the origin of the base URL only.
"""

from __future__ import annotations

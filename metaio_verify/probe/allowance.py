"""What a run may send beyond the first attempt of each request: never more than its plan says."""

from __future__ import annotations

from collections.abc import Container, Sequence

from metaio_verify.probe.plan import Budget, Job, JobKey, budget, first_attempts


class Allowance:
    """What is left of the plan's worst case.

    Further attempts and repetitions take from it. What turns out not to be sent makes room.
    """

    def __init__(self, jobs: Sequence[Job], absent: Container[JobKey], taken: Budget) -> None:
        """Begin a run.

        Args:
            jobs: the plan
            absent: the jobs that are not done, as far as that is known; it grows during the run
            taken: what was sent again before the plan began

        """
        self._jobs = jobs
        self._absent = absent
        self._limit = budget(jobs)
        self._taken = taken

    def take(self, output_tokens: int) -> bool:
        """Take one request more with so many output tokens; false when the plan has no room."""
        least = first_attempts([job for job in self._jobs if job.key not in self._absent])
        after = Budget(self._taken.requests + 1, self._taken.output_tokens + output_tokens)
        if (
            least.requests + after.requests > self._limit.requests
            or least.output_tokens + after.output_tokens > self._limit.output_tokens
        ):
            return False
        self._taken = after
        return True

"""The shop that dies on demand, with a worker that takes jobs off the list before it does them.

Only the negative control of the kills works with this: ``flask --app tests.contest.hasty shop worker``.
"""

from typing import Any

from storefront.storage.answers import Job
from storefront.storage.scripts import Scripts

claim = Scripts.claim_due


def claim_due(self: Scripts, **ask: Any) -> list[Job]:
    """Takes the jobs, and off the list with them: whoever dies now takes them along."""
    jobs = claim(self, **ask)
    for job in jobs:
        self.finish_due(job, order="")
    return jobs


Scripts.claim_due = claim_due  # type: ignore[method-assign]

from tests.contest.crashing import app  # noqa: E402 (after the patch)

__all__ = ["app"]

"""With manual capture no refund is ever needed for lack of stock: only cancelled authorisations."""

import pytest

from tests.simulation.runs import SEEDS, run
from tests.simulation.truth import SOLD_OUT_REFUND, SOLD_OUT_VOID

SOME = SEEDS // 10
"""``python -m tests.simulation --seeds 5000 --town '{"capture": "manual"}'`` counts more."""


@pytest.mark.timeout(120 + SEEDS)
@pytest.mark.parametrize(
    ("capture", "voids", "refunds"), [("manual", True, False), ("automatic", False, True)]
)
def test_what_is_authorised_first_is_never_refunded_for_lack_of_stock(
    capture: str, voids: bool, refunds: bool
) -> None:
    """And what is taken at once sometimes must be, or the count would show nothing."""
    report = run(range(SOME), {"capture": capture})
    assert not report.failures, report.told(0)
    found = report.troubles
    assert (bool(found[SOLD_OUT_VOID]), bool(found[SOLD_OUT_REFUND])) == (voids, refunds)

"""Open pages under gunicorn see the last of many changes, and a stop does not wait for them."""

import pytest

from benchmarks.streams import CHANGES_A_SECOND, measure
from storefront.services.live import SPACING_SECONDS

pytestmark = pytest.mark.alone


def test_open_pages_see_the_last_change_and_do_not_hold_up_a_stop() -> None:
    """The bounds are those of the promise, for five hundred pages; here are a few, on any machine."""
    seen = measure(streams=60, seconds=2)
    assert seen.changes == 2 * CHANGES_A_SECOND
    # Told together: far fewer messages than changes, and yet each page ends with what is true.
    assert seen.messages / seen.streams <= seen.changes / 2
    assert seen.messages / seen.streams >= 2
    assert seen.worst >= seen.median >= 0
    assert seen.stop < 20 * SPACING_SECONDS

"""Whatever a form sends: a clear answer, and nothing done but what the form may do."""

import pytest

from tests.fuzz.runs import PATIENCE_SECONDS, prove


@pytest.mark.timeout(PATIENCE_SECONDS)
def test_no_form_fails_or_does_what_it_may_not() -> None:
    outcomes = prove("forms").outcomes
    for reached in (
        *("checkout done", "checkout 400", "checkout 409", "checkout 413", "checkout 422"),
        *("bag 303", "bag 400", "bag 422", "cancel done", "cancel 400", "cancel 409"),
        *("restock done", "restock 400", "restock 409", "restock 422", "login 303", "login 403"),
        *("release 303", "release 404", "logout 303"),
    ):
        assert outcomes[reached], f"never reached: {reached}"

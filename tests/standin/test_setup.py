"""What a shop reads of its account, and what an account refuses that is not set up."""

from typing import Any

import pytest
import stripe

from tests.standin.conftest import Standin


def test_the_account_may_take_payments(standin: Standin):
    account = standin.client.v1.accounts.retrieve_current()
    assert account.charges_enabled
    assert account.capabilities
    assert account.capabilities.card_payments == "active"


def test_tax_is_worked_out_where_it_was_set_up_and_refused_where_not(standin: Standin):
    taxed: Any = {"automatic_tax": {"enabled": True}}
    client = standin.client.v1.tax
    assert client.settings.retrieve().status == "active"
    assert len(client.registrations.list({"status": "active"}).data) == 1
    assert standin.open_session(**taxed).automatic_tax.enabled
    standin.control("tax", {"status": "pending"})
    settings = client.settings.retrieve()
    assert settings.status == "pending"
    assert settings.status_details.pending
    assert settings.status_details.pending.missing_fields == ["head_office"]
    assert client.registrations.list({"status": "active"}).data == []
    with pytest.raises(stripe.InvalidRequestError) as caught:
        standin.open_session(**taxed)
    assert caught.value.param == "automatic_tax"
    assert standin.open_session().status == "open"


def test_the_promotion_codes_are_those_that_the_page_takes(standin: Standin):
    codes = standin.client.v1.promotion_codes
    assert [one.code for one in codes.list({"active": True}).data] == ["TEN", "FREE"]
    assert [one.code for one in codes.list({"code": "TEN"}).data] == ["TEN"]
    assert codes.list({"active": False}).data == []

"""The check that every other test here runs under would notice a stand-in that drifts."""

import pytest

from tests.standin import contract
from tests.standin.conftest import Standin


def test_every_answer_is_held_against_the_contract(standin: Standin):
    standin.client.v1.products.create({"name": "Poster"})
    assert standin.mistakes == []
    contract_fields = contract.BASIC_FIELDS["product"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(contract.BASIC_FIELDS, "product", contract_fields + " nonsense")
        standin.client.v1.products.create({"name": "Poster"})
    assert standin.mistakes == ["product.nonsense: is missing"]
    standin.mistakes.clear()


def test_an_object_without_a_field_is_a_mistake():
    refund = {"object": "refund", "id": "re_1"}
    assert "refund.amount: is missing" in contract.object_mistakes(refund)
    inside = {"object": "list", "data": [refund]}
    assert contract.object_mistakes(inside) == contract.object_mistakes(refund)


def test_what_the_standin_alone_knows_is_never_shown(standin: Standin):
    paid = standin.pay(standin.open_session())
    for path in (
        f"checkout/sessions/{paid.id}?expand[]=line_items&expand[]=payment_intent.latest_charge",
        f"checkout/sessions/{paid.id}/line_items",
        "events?limit=5",
        "webhook_endpoints",
    ):
        text = standin.api("GET", path).text
        assert '"_":' not in text


def test_the_description_beside_the_repository_is_used_when_it_is_there():
    if contract.SPEC.exists():
        wrong = contract.request_mistakes("POST", "/v1/refunds", "reason=because")
        assert wrong
        assert contract.object_mistakes({"object": "refund", "id": 5})
    else:
        assert contract.VALIDATOR is None
        assert contract.request_mistakes("POST", "/v1/refunds", "reason=because") == []

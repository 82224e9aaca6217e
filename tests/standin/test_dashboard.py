"""The dashboard, with the buttons that a shop's owner has there."""

import re
from typing import Any

import pytest
import requests

from tests.standin.conftest import Endpoint, Standin


def press(standin: Standin, path: str, **form: str) -> requests.Response:
    return standin.http.post(
        f"{standin.url}/dashboard/{path}", data=form, allow_redirects=False, timeout=30
    )


def page(standin: Standin) -> str:
    answer = standin.http.get(standin.url, timeout=30)
    assert answer.status_code == 200
    return answer.text


def row(text: str, object_id: str) -> str:
    found = re.search(f'<tr id="{object_id}">.*?</tr>', text, re.DOTALL)
    assert found
    return found[0]


def test_it_shows_what_there_is(telling: tuple[Standin, Endpoint]):
    standin, endpoint = telling
    assert "No payment yet." in page(standin)
    session = standin.pay(standin.open_session(client_reference_id="order-<7>"))
    intent = str(session.payment_intent)
    refund = standin.client.v1.refunds.create({"payment_intent": intent, "amount": 700})
    endpoint.wait_for("charge.refunded")
    text = page(standin)
    assert "order-&lt;7&gt;" in row(text, session.id)
    assert "complete" in row(text, session.id)
    assert "50.00 USD" in row(text, intent)
    assert "7.00 USD" in row(text, intent)
    assert "succeeded" in row(text, refund.id)
    assert "checkout.session.completed" in text
    assert endpoint.url in text


def test_a_payment_can_be_refunded_in_full(standin: Standin):
    intent = standin.paid_intent()
    assert "Refund in full" in row(page(standin), intent.id)
    assert press(standin, f"payments/{intent.id}/refund").status_code == 303
    refunds = standin.client.v1.refunds.list({"payment_intent": intent.id}).data
    assert [(r.amount, r.reason) for r in refunds] == [(5000, "requested_by_customer")]
    assert "Refund in full" not in row(page(standin), intent.id)


def test_a_payment_can_be_refunded_in_part(standin: Standin):
    intent = standin.paid_intent()
    assert press(standin, f"payments/{intent.id}/refund", amount="1200").status_code == 303
    refunds = standin.client.v1.refunds.list({"payment_intent": intent.id}).data
    assert [r.amount for r in refunds] == [1200]


@pytest.mark.parametrize(
    ("amount", "status"), [("5001", 409), ("0", 409), ("x", 422), ("-5", 422), ("1.5", 422)]
)
def test_a_wrong_amount_is_refused_with_a_reason(standin: Standin, amount: str, status: int):
    intent = standin.paid_intent()
    answer = press(standin, f"payments/{intent.id}/refund", amount=amount)
    assert answer.status_code == status
    assert 'role="alert"' in answer.text
    assert standin.client.v1.refunds.list({"payment_intent": intent.id}).data == []


def test_an_authorisation_can_be_captured_or_cancelled(standin: Standin):
    for action, status in (("capture", "succeeded"), ("cancel", "canceled")):
        session = standin.pay(
            standin.open_session(payment_intent_data={"capture_method": "manual"})
        )
        intent = str(session.payment_intent)
        assert press(standin, f"payments/{intent}/{action}").status_code == 303
        assert standin.client.v1.payment_intents.retrieve(intent).status == status
        assert press(standin, f"payments/{intent}/{action}").status_code == 409


def test_a_payment_can_be_disputed_once(standin: Standin):
    intent = standin.paid_intent()
    assert press(standin, f"payments/{intent.id}/dispute").status_code == 303
    assert "disputed" in row(page(standin), intent.id)
    assert press(standin, f"payments/{intent.id}/dispute").status_code == 409


def test_a_dispute_is_won_or_lost_once(standin: Standin):
    intent = standin.paid_intent()
    dispute = standin.control(f"payment_intents/{intent.id}/dispute")["id"]
    assert "Won by the shop" in row(page(standin), intent.id)
    assert press(standin, f"disputes/{dispute}", status="maybe").status_code == 400
    assert press(standin, f"disputes/{dispute}", status="won").status_code == 303
    assert standin.client.v1.disputes.retrieve(dispute).status == "won"
    assert standin.event_types(dispute) == ["charge.dispute.created", "charge.dispute.closed"]
    assert "Won by the shop" not in row(page(standin), intent.id)
    assert press(standin, f"disputes/{dispute}", status="lost").status_code == 409
    assert standin.client.v1.disputes.retrieve(dispute).status == "won"


def test_a_session_can_be_ended(standin: Standin):
    session = standin.open_session()
    assert press(standin, f"sessions/{session.id}/expire").status_code == 303
    assert standin.session(session.id).status == "expired"
    assert press(standin, f"sessions/{session.id}/expire").status_code == 409


def test_a_pending_refund_can_be_settled(standin: Standin):
    standin.control("refunds", {"start": "pending"})
    refund = standin.client.v1.refunds.create({"payment_intent": standin.paid_intent().id})
    assert "Let it fail" in row(page(standin), refund.id)
    assert press(standin, f"refunds/{refund.id}", status="failed").status_code == 303
    assert standin.client.v1.refunds.retrieve(refund.id).status == "failed"
    assert press(standin, f"refunds/{refund.id}", status="odd").status_code == 400


def test_an_event_can_be_sent_again(telling: tuple[Standin, Endpoint]):
    standin, endpoint = telling
    standin.client.v1.checkout.sessions.expire(standin.open_session().id)
    event = endpoint.wait_for("checkout.session.expired")[0]["id"]
    assert press(standin, f"events/{event}/resend").status_code == 303
    endpoint.wait_for("checkout.session.expired", times=2)


def test_another_sites_form_is_refused(standin: Standin):
    intent = standin.paid_intent()
    url = f"{standin.url}/dashboard/payments/{intent.id}/refund"
    for origin in ("https://evil.example", "null"):
        answer = standin.http.post(url, headers={"Origin": origin}, timeout=30)
        assert answer.status_code == 403
    own: Any = standin.http.post(
        url, headers={"Origin": standin.url}, allow_redirects=False, timeout=30
    )
    assert own.status_code == 303


def test_a_name_that_only_points_here_is_refused(standin: Standin):
    for path in ("/", "/_standin/clock"):
        answer = standin.http.get(
            f"{standin.url}{path}", headers={"Host": "evil.example"}, timeout=30
        )
        assert answer.status_code == 403


def test_a_payment_of_a_page_of_the_shops_own_can_be_canceled_while_it_is_open(standin: Standin):
    intents = standin.client.v1.payment_intents
    intent = intents.create({"amount": 5000, "currency": "usd"})
    assert "Cancel" in row(page(standin), intent.id)
    assert press(standin, f"payments/{intent.id}/cancel").status_code == 303
    assert intents.retrieve(intent.id).status == "canceled"
    assert "Cancel" not in row(page(standin), intent.id)
    session = standin.open_session()
    standin.visit(session, fate="decline")
    of_checkout = str(standin.session(session.id).payment_intent)
    assert "Cancel" not in row(page(standin), of_checkout)

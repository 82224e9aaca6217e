"""The payment page: every fate of a payment, without JavaScript."""

import re
from typing import Any

import pytest
import stripe

from tests.harness import wait_until
from tests.standin.conftest import Endpoint, Standin, line


def intent_of(standin: Standin, session: stripe.checkout.Session) -> stripe.PaymentIntent:
    found = standin.session(session.id).payment_intent
    assert isinstance(found, str)
    return standin.client.v1.payment_intents.retrieve(found, {"expand": ["latest_charge"]})


def test_the_page_shows_what_is_bought_for_how_much_and_until_when(standin: Standin):
    session = standin.open_session(
        custom_text={"submit": {"message": "Your posters are held <until> ten."}},
        customer_email="grace@example.com",
    )
    answer = standin.http.get(str(session.url), timeout=30)
    page = answer.text
    assert answer.status_code == 200
    assert "Test payments: no real money moves" in page
    assert "2 × Poster" in page
    assert "50.00 USD" in page
    assert "Your posters are held &lt;until&gt; ten." in page
    assert 'value="grace@example.com"' in page
    assert re.search(r"open until\s+<time datetime=", page)
    assert f'href="{standin.url}/healthz?cancelled=1"' in page
    assert "<script" not in page
    assert "style=" not in page


def test_the_page_forbids_scripts_and_lets_its_form_go_on_to_the_shop(standin: Standin):
    session = standin.open_session(
        success_url="https://shop.example/orders/1?x={CHECKOUT_SESSION_ID}"
    )
    policy = standin.http.get(str(session.url), timeout=30).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self' https://shop.example" in policy
    assert "unsafe" not in policy


def test_paying_completes_the_session_and_takes_the_money(standin: Standin):
    session = standin.open_session(
        metadata={"of": "session"},
        payment_intent_data={"metadata": {"order": "1"}, "description": "Order 1"},
    )
    answer = standin.visit(session)
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"{standin.url}/healthz?session={session.id}"
    done = standin.session(session.id)
    assert (done.status, done.payment_status, done.url) == ("complete", "paid", None)
    assert done.customer_details
    assert done.customer_details.email == "ada@example.com"
    intent = intent_of(standin, session)
    assert (intent.status, intent.amount, intent.amount_received) == ("succeeded", 5000, 5000)
    assert intent.metadata
    assert intent.metadata.to_dict() == {"order": "1"}
    charge = intent.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert (charge.status, charge.paid, charge.captured) == ("succeeded", True, True)
    assert charge.metadata
    assert charge.metadata.to_dict() == {"order": "1"}
    assert charge.billing_details.email == "ada@example.com"
    assert standin.event_types(session.id) == ["checkout.session.completed"]
    assert standin.event_types(intent.id) == ["payment_intent.created", "payment_intent.succeeded"]


def test_a_declined_card_leaves_the_session_open_for_another_try(standin: Standin):
    session = standin.open_session()
    answer = standin.visit(session, fate="decline")
    assert answer.status_code == 402
    assert re.search(r'role="alert".*?Your card was declined', answer.text, re.DOTALL)
    assert standin.session(session.id).status == "open"
    intent = intent_of(standin, session)
    assert intent.status == "requires_payment_method"
    assert intent.last_payment_error
    assert intent.last_payment_error.code == "card_declined"
    assert standin.event_types(intent.id)[-1] == "payment_intent.payment_failed"
    done = standin.pay(session)
    assert done.status == "complete"
    assert intent_of(standin, session).id == intent.id


def test_three_d_secure_asks_the_bank_first(standin: Standin):
    session = standin.open_session()
    answer = standin.visit(session, fate="secure")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/c/pay/{session.id}/secure")
    assert intent_of(standin, session).status == "requires_action"
    page = f"{standin.url}/c/pay/{session.id}/secure"
    assert "50.00 USD" in standin.http.get(page, timeout=30).text
    refused = standin.http.post(page, data={"answer": "refuse"}, timeout=30)
    assert refused.status_code == 402
    assert standin.session(session.id).status == "open"
    assert standin.visit(session, fate="secure").status_code == 303
    confirmed = standin.http.post(
        page, data={"answer": "confirm"}, allow_redirects=False, timeout=30
    )
    assert confirmed.headers["Location"].endswith(session.id)
    done = standin.session(session.id)
    assert (done.status, done.payment_status) == ("complete", "paid")
    assert done.customer_details
    assert done.customer_details.email == "ada@example.com"


def test_a_bank_that_confirms_after_the_session_ended_takes_nothing(standin: Standin):
    session = standin.open_session()
    standin.visit(session, fate="secure")
    standin.client.v1.checkout.sessions.expire(session.id)
    page = f"{standin.url}/c/pay/{session.id}/secure"
    assert standin.http.post(page, data={"answer": "confirm"}, timeout=30).status_code == 409
    assert intent_of(standin, session).status == "canceled"


@pytest.mark.parametrize(
    ("fate", "status", "payment_status", "event"),
    [
        ("delayed_succeed", "succeeded", "paid", "checkout.session.async_payment_succeeded"),
        (
            "delayed_fail",
            "requires_payment_method",
            "unpaid",
            "checkout.session.async_payment_failed",
        ),
    ],
)
def test_a_delayed_method_completes_unpaid_and_settles_later(
    own_standin: Any, fate: str, status: str, payment_status: str, event: str
):
    with own_standin() as standin:
        session = standin.open_session()
        done = standin.pay(session, fate=fate, delay_seconds="600")
        assert (done.status, done.payment_status) == ("complete", "unpaid")
        intent = intent_of(standin, session)
        assert intent.status == "processing"
        standin.control("clock", {"advance_seconds": 590})
        assert intent_of(standin, session).status == "processing"
        standin.control("clock", {"advance_seconds": 11})
        assert intent_of(standin, session).status == status
        settled = standin.session(session.id)
        assert (settled.status, settled.payment_status) == ("complete", payment_status)
        assert standin.event_types(session.id) == ["checkout.session.completed", event]
        assert "payment_intent.processing" in standin.event_types(intent.id)


def test_a_delayed_payment_settles_without_anyone_asking(telling: tuple[Standin, Endpoint]):
    standin, endpoint = telling
    session = standin.open_session()
    standin.pay(session, fate="delayed_succeed", delay_seconds="0.5")
    event = endpoint.wait_for("checkout.session.async_payment_succeeded")[0]
    assert event["data"]["object"]["payment_status"] == "paid"


def test_a_session_for_cards_alone_offers_no_delayed_method(standin: Standin):
    session = standin.open_session(allowed_payment_method_types=["card"])
    page = standin.http.get(str(session.url), timeout=30).text
    assert re.search(r'value="delayed_succeed"[^>]*disabled', page)
    answer = standin.visit(session, fate="delayed_succeed")
    assert answer.status_code == 422
    assert "not offered here" in answer.text
    assert standin.session(session.id).payment_intent is None


def test_paying_too_late_ends_the_session_first_and_pays_it_all_the_same(
    telling: tuple[Standin, Endpoint],
):
    standin, endpoint = telling
    session = standin.open_session()
    assert standin.pay(session, fate="late").payment_status == "paid"
    assert standin.event_types(session.id) == [
        "checkout.session.expired",
        "checkout.session.completed",
    ]
    assert endpoint.wait_for("checkout.session.expired")[0]["data"]["object"]["status"] == "expired"
    completed = endpoint.wait_for("checkout.session.completed")[0]["data"]["object"]
    assert (completed["status"], completed["payment_status"]) == ("complete", "paid")


def test_an_expired_page_says_so_and_can_still_be_paid_too_late(standin: Standin):
    session = standin.open_session()
    standin.visit(session, fate="decline")
    standin.client.v1.checkout.sessions.expire(session.id)
    page = f"{standin.url}/c/pay/{session.id}"
    answer = standin.http.get(page, timeout=30)
    assert "This page has expired" in answer.text
    assert "nothing was charged" in answer.text
    refused = standin.visit(session)
    assert refused.status_code == 409
    assert "This page has expired" in refused.text
    assert standin.session(session.id).status == "expired"
    nameless = standin.visit(session, fate="late", email="")
    assert nameless.status_code == 422
    assert re.search(r'role="alert".*?Please enter a mail address', nameless.text)
    late = standin.pay(session, fate="late")
    assert (late.status, late.payment_status) == ("complete", "paid")
    assert intent_of(standin, session).status == "succeeded"


def test_a_completed_page_says_so_and_takes_no_second_payment(standin: Standin):
    session = standin.open_session()
    standin.pay(session)
    intent = intent_of(standin, session)
    assert "all done here" in standin.http.get(
        f"{standin.url}/c/pay/{session.id}", timeout=30
    ).text.replace("&#39;", "'")
    for fate in ("pay", "late", "secure", "delayed_succeed"):
        assert standin.visit(session, fate=fate).status_code == 409
    assert intent_of(standin, session).id == intent.id
    assert standin.event_types(session.id) == ["checkout.session.completed"]


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"email": ""}, "email"),
        ({"email": "nobody"}, "email"),
        ({"fate": "steal"}, "fate"),
        ({"webhooks": "burnt"}, "webhooks"),
        ({"delay_seconds": "soon"}, "delay_seconds"),
        ({"delay_seconds": "-1"}, "delay_seconds"),
        ({"delay_seconds": "nan"}, "delay_seconds"),
        ({"delay_seconds": "1e99"}, "delay_seconds"),
    ],
)
def test_a_mistake_in_the_form_is_shown_beside_its_field(
    standin: Standin, form: dict[str, str], field: str
):
    session = standin.open_session()
    answer = standin.visit(session, **form)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert f'id="{field}-error"' in answer.text
    assert re.search(rf'aria-describedby="{field}-error', answer.text)
    assert standin.session(session.id).payment_intent is None


def test_an_unknown_page_is_a_404(standin: Standin):
    assert standin.http.get(f"{standin.url}/c/pay/cs_test_none", timeout=30).status_code == 404
    assert standin.http.post(f"{standin.url}/c/pay/cs_test_none", timeout=30).status_code == 404


def test_address_and_phone_are_asked_for_when_the_session_wants_them(standin: Standin):
    session = standin.open_session(
        shipping_address_collection={"allowed_countries": ["DE", "AT"]},
        phone_number_collection={"enabled": True},
    )
    page = standin.http.get(str(session.url), timeout=30).text
    assert 'name="postal_code"' in page
    assert 'name="phone"' in page
    assert standin.visit(session, country="US").status_code == 422
    done = standin.pay(session, country="AT", name="Ada Lovelace", city="Wien")
    assert done.customer_details
    assert (done.customer_details.name, done.customer_details.phone) == (
        "Ada Lovelace",
        "+15555550100",
    )
    assert done.collected_information
    shipping = done.collected_information.shipping_details
    assert shipping
    assert (shipping.address.city, shipping.address.country) == ("Wien", "AT")


def test_a_free_order_is_completed_by_the_same_button(standin: Standin):
    session = standin.open_session(line_items=[line(0)])
    page = standin.http.get(str(session.url), timeout=30).text
    assert 'name="fate"' not in page
    answer = standin.http.post(
        str(session.url), data={"email": "ada@example.com"}, allow_redirects=False, timeout=30
    )
    assert answer.status_code == 303


def test_two_presses_at_once_pay_once(own_standin: Any):
    from concurrent.futures import ThreadPoolExecutor

    with own_standin() as standin:
        session = standin.open_session()
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: standin.visit(session).status_code, range(4)))
        assert sorted(answers) == [303, 409, 409, 409]
        intents = standin.client.v1.payment_intents.list().data
        assert [i.status for i in intents] == ["succeeded"]


def test_the_shopper_is_kept_until_the_shop_has_heard(telling: tuple[Standin, Endpoint]):
    standin, endpoint = telling
    session = standin.open_session()
    standin.visit(session)
    assert "checkout.session.completed" in endpoint.about(session.id)


def test_the_shopper_is_kept_for_ten_seconds_at_most(telling: tuple[Standin, Endpoint]):
    standin, endpoint = telling
    endpoint.answer = lambda _event: 500
    session = standin.open_session()
    answer = standin.visit(session)
    assert answer.status_code == 303
    assert answer.elapsed.total_seconds() > 9
    endpoint.answer = lambda _event: 200
    wait_until(lambda: endpoint.types.count("checkout.session.completed") >= 2, "it is sent again")

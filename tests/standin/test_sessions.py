"""Checkout Sessions over real HTTP, with the official client."""

from typing import Any

import pytest
import stripe

from tests.harness import wait_until
from tests.standin.conftest import Standin, line


def refusal(standin: Standin, **more: Any) -> stripe.InvalidRequestError:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        standin.open_session(**more)
    assert caught.value.http_status == 400
    return caught.value


def test_a_new_session_is_open_unpaid_and_has_a_page_but_no_payment(standin: Standin):
    session = standin.open_session(client_reference_id="order-1", metadata={"order": "1"})
    assert (session.status, session.payment_status) == ("open", "unpaid")
    assert session.url == f"{standin.url}/c/pay/{session.id}"
    assert session.payment_intent is None
    assert (session.amount_total, session.currency) == (5000, "usd")
    assert session.ui_mode == "hosted_page"
    assert session.client_reference_id == "order-1"
    assert session.expires_at == session.created + 86400
    assert session.livemode is False


def test_line_items_are_listed_with_their_prices(standin: Standin):
    session = standin.open_session(line_items=[line(100), line(250, 3), line(700)])
    items = standin.client.v1.checkout.sessions.line_items.list(session.id, {"limit": 2})
    assert [(item.amount_total, item.quantity) for item in items.data] == [(100, 1), (750, 3)]
    assert items.data[0].description == "Poster"
    assert items.has_more
    last = standin.client.v1.checkout.sessions.line_items.list(
        session.id, {"starting_after": items.data[-1].id}
    )
    assert [item.amount_total for item in last.data] == [700]
    before = standin.client.v1.checkout.sessions.line_items.list(
        session.id, {"ending_before": last.data[0].id, "limit": 1}
    )
    assert [item.amount_total for item in before.data] == [750]
    assert before.has_more


def test_an_inline_price_and_its_product_can_be_read_but_not_sold_again(standin: Standin):
    session = standin.open_session()
    item = standin.client.v1.checkout.sessions.line_items.list(session.id).data[0]
    assert item.price
    price = standin.client.v1.prices.retrieve(item.price.id, {"expand": ["product"]})
    assert (price.unit_amount, price.active) == (2500, False)
    assert isinstance(price.product, stripe.Product)
    assert price.product.name == "Poster"
    error = refusal(standin, line_items=[{"price": price.id, "quantity": 1}])
    assert error.param == "line_items[0][price]"


def test_a_price_of_the_account_can_be_sold(standin: Standin):
    price = standin.client.v1.prices.create(
        {"currency": "eur", "unit_amount": 900, "product_data": {"name": "Mug"}}
    )
    session = standin.open_session(line_items=[{"price": price.id, "quantity": 2}])
    assert (session.amount_total, session.currency) == (1800, "eur")


@pytest.mark.parametrize("seconds", [1800, 1799, 60, 0, -5])
def test_a_session_must_live_for_more_than_thirty_minutes(standin: Standin, seconds: int):
    error = refusal(standin, expires_at=standin.now() + seconds)
    assert error.param == "expires_at"
    assert "at least 30 minutes" in str(error)


def test_a_session_may_live_for_a_day_and_no_longer(standin: Standin):
    now = standin.now()
    assert standin.open_session(expires_at=now + 86400).expires_at == now + 86400
    assert refusal(standin, expires_at=standin.now() + 86410).param == "expires_at"
    assert standin.open_session(expires_at=standin.now() + 1860).status == "open"


def test_a_session_has_one_to_a_hundred_lines(standin: Standin):
    assert standin.open_session(line_items=[line(100)] * 100).amount_total == 10000
    assert refusal(standin, line_items=[line(100)] * 101).param == "line_items"
    params = standin.session_params()
    del params["line_items"]
    with pytest.raises(stripe.InvalidRequestError) as caught:
        standin.client.v1.checkout.sessions.create(params)  # type: ignore[arg-type]
    assert (caught.value.code, caught.value.param) == ("parameter_missing", "line_items")


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"client_reference_id": "x" * 201}, "client_reference_id"),
        ({"metadata": {f"k{n}": "v" for n in range(51)}}, "metadata"),
        ({"metadata": {"k" * 41: "v"}}, f"metadata[{'k' * 41}]"),
        ({"metadata": {"k": "v" * 501}}, "metadata[k]"),
        ({"payment_intent_data": {"metadata": {"k": "v" * 501}}}, "payment_intent_data[metadata][k]"),
        ({"custom_text": {"submit": {"message": "x" * 1201}}}, "custom_text[submit][message]"),
        ({"payment_intent_data": {"description": "x" * 1001}}, "payment_intent_data[description]"),
        ({"customer_email": "nobody"}, "customer_email"),
        ({"success_url": "/thanks"}, "success_url"),
        ({"cancel_url": "javascript:alert(1)"}, "cancel_url"),
        ({"line_items": [line(-1)]}, "line_items[0][price_data][unit_amount]"),
        ({"line_items": [line(49)]}, "line_items"),
        ({"line_items": [line(99_999_999, 2)]}, "line_items"),
        ({"line_items": [line(100, 0)]}, "line_items[0][quantity]"),
        ({"line_items": [line(100, currency="dollars")]}, "line_items[0][price_data][currency]"),
        ({"line_items": [line(100), line(100, currency="eur")]}, "line_items[1]"),
        ({"line_items": [line(1234, currency="kwd")]}, "line_items"),
        ({"line_items": [{"price": "price_none", "quantity": 1}]}, "line_items[0][price]"),
        ({"ui_mode": "hosted"}, "ui_mode"),
        ({"payment_method_types": ["card"]}, "payment_method_types"),
        ({"mode": "subscription"}, "mode"),
        ({"line_items": [line(100) | {"adjustable_quantity": {"enabled": True}}]}, "line_items[0][adjustable_quantity]"),
        ({"discounts": [{"coupon": "x"}]}, "discounts"),
        ({"payment_intent_data": {"expires_after_seconds": 60}}, "payment_intent_data[expires_after_seconds]"),
    ],
)  # fmt: skip
def test_what_stripe_refuses_is_refused_by_name(standin: Standin, more: Any, param: str):
    assert refusal(standin, **more).param == param


def test_the_limits_themselves_are_allowed(standin: Standin):
    session = standin.open_session(
        client_reference_id="x" * 200,
        metadata={f"{n:02}" + "k" * 38: "v" * 500 for n in range(50)},
        custom_text={"submit": {"message": "x" * 1200}},
        line_items=[line(50)],
        allowed_payment_method_types=["card"],
        ui_mode="hosted_page",
    )
    assert session.metadata is not None
    assert len(session.metadata.to_dict()) == 50
    assert session.allowed_payment_method_types == ["card"]
    assert session.payment_method_types == ["card"]


def test_features_may_be_sent_as_long_as_they_stay_off(standin: Standin):
    session = standin.open_session(allow_promotion_codes=False, automatic_tax={"enabled": False})
    assert session.status == "open"


def test_metadata_of_an_existing_session_is_merged(standin: Standin):
    session = standin.open_session(metadata={"a": "1", "b": "2"})
    sessions = standin.client.v1.checkout.sessions
    changed = sessions.update(session.id, {"metadata": {"b": "", "c": "3"}})
    assert changed.metadata is not None
    assert changed.metadata.to_dict() == {"a": "1", "c": "3"}
    unset = sessions.update(session.id, {"metadata": ""})
    assert unset.metadata is not None
    assert unset.metadata.to_dict() == {}


def test_only_an_open_session_can_be_expired(standin: Standin):
    sessions = standin.client.v1.checkout.sessions
    session = standin.open_session()
    expired = sessions.expire(session.id)
    assert (expired.status, expired.url, expired.payment_status) == ("expired", None, "unpaid")
    paid = standin.pay(standin.open_session())
    for ended in (expired, paid):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            sessions.expire(ended.id)
        assert caught.value.code is None
        assert f"has a status of {ended.status}" in str(caught.value)
    assert standin.event_types(session.id) == ["checkout.session.expired"]


def test_a_session_expires_by_itself_when_its_time_comes(own_standin: Any):
    with own_standin() as standin:
        session = standin.open_session(expires_at=standin.now() + 1860)
        standin.control("clock", {"advance_seconds": 1830})
        assert standin.session(session.id).status == "open"
        standin.control("clock", {"advance_seconds": 31})
        assert standin.session(session.id).status == "expired"
        assert standin.event_types(session.id) == ["checkout.session.expired"]


def test_what_is_paid_stays_complete_when_its_time_comes(own_standin: Any):
    with own_standin() as standin:
        session = standin.pay(standin.open_session(expires_at=standin.now() + 1860))
        standin.control("clock", {"advance_seconds": 4000})
        assert standin.session(session.id).status == "complete"


def test_expiry_is_told_without_anyone_asking(telling: Any):
    standin, endpoint = telling
    session = standin.open_session(expires_at=standin.now() + 1860)
    standin.control("clock", {"advance_seconds": 1861})
    events = endpoint.wait_for("checkout.session.expired")
    assert events[0]["data"]["object"]["id"] == session.id
    assert events[0]["data"]["object"]["status"] == "expired"


def test_sessions_are_found_by_time_status_and_payment(standin: Standin):
    sessions = standin.client.v1.checkout.sessions
    open_one = standin.open_session()
    paid = standin.pay(standin.open_session())
    assert isinstance(paid.payment_intent, str)
    found = sessions.list({"payment_intent": paid.payment_intent})
    assert [s.id for s in found.data] == [paid.id]
    statuses = {s.status for s in sessions.list({"status": "complete", "limit": 100}).data}
    assert statuses == {"complete"}
    recent = sessions.list({"created": {"gte": open_one.created}, "limit": 2})
    assert [s.id for s in recent.data] == [paid.id, open_one.id]
    assert sessions.list({"created": {"gt": paid.created + 5}}).data == []
    older = sessions.list({"created": {"lt": open_one.created}, "limit": 100})
    assert open_one.id not in {s.id for s in older.data}
    assert sessions.list({"customer": "cus_none"}).data == []
    by_mail = sessions.list({"customer_details": {"email": "ada@example.com"}, "limit": 1})
    assert [s.id for s in by_mail.data] == [paid.id]


def test_the_official_client_pages_through_all_sessions(own_standin: Any):
    with own_standin() as standin:
        made = [standin.open_session().id for _ in range(7)]
        listed = standin.client.v1.checkout.sessions.list({"limit": 3})
        assert [s.id for s in listed.auto_paging_iter()] == made[::-1]
        backwards = standin.client.v1.checkout.sessions.list({"limit": 3, "ending_before": made[0]})
        assert [s.id for s in backwards.data] == made[1:4][::-1]
        assert backwards.has_more


def test_a_list_can_show_each_payment_with_its_charge(standin: Standin):
    paid = standin.pay(standin.open_session())
    page = standin.client.v1.checkout.sessions.list(
        {"limit": 1, "expand": ["data.payment_intent.latest_charge.balance_transaction"]}
    )
    session = page.data[0]
    assert session.id == paid.id
    assert isinstance(session.payment_intent, stripe.PaymentIntent)
    charge = session.payment_intent.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert isinstance(charge.balance_transaction, stripe.BalanceTransaction)
    assert (charge.balance_transaction.fee, charge.balance_transaction.net) == (175, 4825)


def test_a_session_shows_its_lines_when_asked(standin: Standin):
    session = standin.open_session()
    shown = standin.client.v1.checkout.sessions.retrieve(
        session.id, {"expand": ["line_items.data.price.product"]}
    )
    assert shown.line_items
    price = shown.line_items.data[0].price
    assert price
    assert isinstance(price.product, stripe.Product)


@pytest.mark.parametrize("path", ["nonsense", "payment_intent.nonsense", "a.b.c.d.e"])
def test_what_cannot_be_expanded_is_refused(standin: Standin, path: str):
    session = standin.pay(standin.open_session())
    with pytest.raises(stripe.InvalidRequestError) as caught:
        standin.client.v1.checkout.sessions.retrieve(session.id, {"expand": [path]})
    assert caught.value.param == "expand"


def test_an_unknown_session_is_missing(standin: Standin):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        standin.session("cs_test_none")
    assert (caught.value.http_status, caught.value.code) == (404, "resource_missing")


def test_a_free_session_needs_no_payment(standin: Standin):
    session = standin.open_session(line_items=[line(0)])
    assert session.payment_status == "no_payment_required"
    done = standin.pay(session)
    assert (done.status, done.payment_status) == ("complete", "no_payment_required")
    assert done.payment_intent is None


def test_expiry_cancels_the_payment_that_was_begun(standin: Standin):
    session = standin.open_session()
    assert standin.visit(session, fate="decline").status_code == 402
    intent = standin.session(session.id).payment_intent
    assert isinstance(intent, str)
    standin.client.v1.checkout.sessions.expire(session.id)
    ended = standin.client.v1.payment_intents.retrieve(intent)
    assert (ended.status, ended.cancellation_reason) == ("canceled", "expired")
    wait_until(lambda: "payment_intent.canceled" in standin.event_types(intent), "it is told")

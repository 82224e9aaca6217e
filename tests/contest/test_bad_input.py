"""Whatever is sent to the running shop, it answers as its interface says and its stock stays."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from storefront.domain.orders import State
from tests.contest.events import deliver, event, signed
from tests.contest.market import Market, open_market
from tests.contest.shopper import Shopper

UNITS = 5


@pytest.fixture(scope="module")
def opened() -> Iterator[Market]:
    with open_market({"ticket": UNITS}, hold_seconds=600, worker=False) as market:
        yield market
        market.quiet_logs()


@pytest.fixture
def market(opened: Market) -> Iterator[Market]:
    """The shop, whose books and orders are the same after the test as before."""
    before = (opened.store.stock.levels(), opened.orders(), opened.stripe.sessions())
    yield opened
    assert (opened.store.stock.levels(), opened.orders(), opened.stripe.sessions()) == before


@pytest.fixture
def shopper(market: Market) -> Shopper:
    return Shopper(market.shop.url)


@pytest.mark.parametrize(
    "quantity",
    [
        "0",
        "-1",
        "1e3",
        "1.0",
        "0x1",
        "+1",
        " 1",
        "",
        "nan",
        "9" * 30,
        "1000000",
        "١",
        "２",
        "1\x00",
    ],
)
def test_a_quantity_that_is_no_plain_whole_number_of_one_or_more_is_refused(
    shopper: Shopper, quantity: str
) -> None:
    answer = shopper.send(shopper.form("ticket"), quantity=quantity)
    assert answer.status_code == 422
    assert "nothing was charged" in answer.text.lower()


def test_more_than_one_order_may_have_is_refused(shopper: Shopper) -> None:
    assert shopper.send(shopper.form("ticket"), quantity="11").status_code == 422


def test_more_than_there_is_is_refused_with_what_is_left(market: Market, shopper: Shopper) -> None:
    """Tests come in any order, and one of them sells a unit."""
    left = market.stock("ticket").available
    answer = shopper.send(shopper.form("ticket"), quantity=str(left + 1))
    assert answer.status_code == 409
    assert f"Only {left} left" in answer.text


@pytest.mark.parametrize(
    "sku", ["nothing", "", "ticket ", "TICKET", "../ticket", "a" * 5000, "\x00", "票"]
)
def test_an_unknown_article_is_refused(shopper: Shopper, sku: str) -> None:
    assert shopper.send(shopper.form("ticket"), sku=sku).status_code == 422


@pytest.mark.parametrize("missing", ["quantity", "sku"])
def test_a_form_with_a_field_left_out_is_refused(shopper: Shopper, missing: str) -> None:
    form = shopper.form("ticket")
    del form[missing]
    assert shopper.send(form).status_code == 422


def test_an_article_and_no_other_field_is_a_failed_check(market: Market) -> None:
    answer = Shopper(market.shop.url).post("/checkout", {"sku": "ticket", "quantity": "1"})
    assert answer.status_code == 400


def test_another_shopper_s_form_is_a_failed_check(market: Market, shopper: Shopper) -> None:
    foreign = Shopper(market.shop.url, "eve").form("ticket")
    shopper.form("ticket")
    assert shopper.send(foreign).status_code == 400


def test_a_form_without_its_cookie_is_a_failed_check(shopper: Shopper) -> None:
    form = shopper.form("ticket")
    shopper.session.cookies.clear()
    assert shopper.send(form).status_code == 400


@pytest.mark.parametrize("token", ["", "x", "IjEyMyI.YQ.c2lnbmF0dXJl"])
def test_a_forged_check_is_a_failed_one(shopper: Shopper, token: str) -> None:
    assert shopper.send(shopper.form("ticket"), csrf_token=token).status_code == 400


@pytest.mark.parametrize("token", ["x", "a b c d e f g", "ü" * 20, "a" * 5000])
def test_a_damaged_one_time_token_is_refused(shopper: Shopper, token: str) -> None:
    assert shopper.send(shopper.form("ticket"), token=token).status_code == 422


def test_a_cookie_that_the_shop_did_not_sign_is_a_failed_check(shopper: Shopper) -> None:
    form = shopper.form("ticket")
    for cookie in shopper.session.cookies:
        cookie.value = (cookie.value or "")[:-2] + "xx"
    assert shopper.send(form).status_code == 400


def test_a_tampered_order_link_opens_nothing_and_cancels_nothing(opened: Market) -> None:
    """Another letter anywhere in it is another link, and most links lead nowhere."""
    ada, eve = Shopper(opened.shop.url), Shopper(opened.shop.url, "eve")
    pay_url = ada.hold("ticket")
    link = ada.order_link(pay_url)
    action, _ = ada.cancel_form(link)
    fields = {"csrf_token": eve.form("ticket")["csrf_token"]}
    token = link.rpartition("/")[2]
    for place in (0, 5, len(token) - 1):
        other = "b" if token[place] == "a" else "a"
        wrong = token[:place] + other + token[place + 1 :]
        assert eve.get(f"/orders/{wrong}").status_code == 404
        assert eve.get(f"/orders/{wrong}.json").status_code == 404
        assert eve.post(action.replace(token, wrong), fields).status_code == 404
    for wrong in (token.upper(), token[:-1], token + "a", token.partition("-")[0], "%00", "%ff"):
        assert eve.get(f"/orders/{wrong}").status_code == 404
    assert opened.state_at(pay_url) is State.OPEN
    assert ada.cancel(link).status_code == 303
    assert opened.state_at(pay_url) is State.RELEASED


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Stripe-Signature": ""},
        {"Stripe-Signature": "nonsense"},
        {"Stripe-Signature": "t=,v1="},
        {"Stripe-Signature": "t=1e9,v1=" + "0" * 64},
        {"Stripe-Signature": f"t={int(time.time())},v1=" + "0" * 64},
        {"Stripe-Signature": f"t={'9' * 400},v1=" + "0" * 64},
    ],
)
def test_an_unsigned_event_is_a_bad_request(market: Market, headers: dict[str, str]) -> None:
    assert deliver(market, json.dumps(event()).encode(), headers).status_code == 400


def test_an_event_signed_by_someone_else_is_a_bad_request(market: Market) -> None:
    body = json.dumps(event()).encode()
    assert deliver(market, body, signed(body, "whsec_of_eve")).status_code == 400


def test_an_event_changed_after_it_was_signed_is_a_bad_request(market: Market) -> None:
    body = json.dumps(event()).encode()
    assert deliver(market, body.replace(b"2500", b"2501"), signed(body)).status_code == 400


def test_an_event_signed_long_ago_is_a_bad_request(market: Market) -> None:
    body = json.dumps(event()).encode()
    assert deliver(market, body, signed(body, at=time.time() - 301)).status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe\x00",
        b'{"id": "evt_\xff"}',
        b"{}",
        b'{"id": 1, "type": [], "data": {"object": {}}}',
        b'{"id": "evt_1", "type": "checkout.session.completed", "data": {"object": []}}',
        b'{"id": "evt_1", "type": "checkout.session.completed", "data": 5}',
        b"[" * 20_000,
        json.dumps(event(metadata="text")).encode(),
        json.dumps(event(customer_details=5)).encode(),
    ],
)
def test_a_signed_body_that_is_no_event_is_a_bad_request(market: Market, body: bytes) -> None:
    head = signed(body)
    assert deliver(market, body, head).status_code == 400


def test_an_oversized_event_is_refused_whether_its_length_is_told_or_not(market: Market) -> None:
    body = b" " * (256 * 1024 + 1)
    assert deliver(market, body).status_code == 413
    chunks = (body[start : start + 8192] for start in range(0, len(body), 8192))
    answer = requests.post(
        f"{market.shop.url}/webhooks/stripe", chunks, headers=signed(body), timeout=20
    )
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "told",
    [
        event(),
        event(metadata={}),
        event(metadata={"shop": "another", "order": "a" * 16}),
        event(metadata={"shop": "popup"}, client_reference_id=None),
        event("checkout.session.expired", status="expired", payment_status="unpaid"),
        {**event(), "livemode": True},
        event("charge.refunded"),
        event("customer.created"),
        {**event("refund.created"), "data": {"object": {"id": "re_1", "object": "refund"}}},
    ],
    ids=lambda told: str(told["type"]),
)
def test_a_signed_event_about_what_is_not_here_is_taken_and_changes_nothing(
    market: Market, told: dict[str, Any]
) -> None:
    for number in range(2):
        body = json.dumps({**told, "id": f"evt_{number}"}).encode()
        assert deliver(market, body).status_code == 200


def test_a_replayed_event_is_taken_and_settles_nothing_again(opened: Market) -> None:
    """The very bytes that settled a sale, sent again as often as you like."""
    pay_url = Shopper(opened.shop.url).hold("ticket")
    opened.stripe.control("webhooks", {"mode": "lost"})
    Shopper(opened.shop.url).pay(pay_url)
    opened.stripe.control("webhooks", {"mode": "normal"})
    session = next(
        s for s in opened.stripe.sessions() if s["url"] is None and s["status"] == "complete"
    )
    session["payment_intent"] = session["payment_intent"]["id"]
    body = json.dumps({**event(), "id": "evt_once", "data": {"object": session}}).encode()
    head = signed(body)
    assert deliver(opened, body, head).json() == {"outcome": "sold"}
    books = opened.store.stock.levels()
    for _ in range(3):
        assert deliver(opened, body, head).json() == {"outcome": "repeat"}
    assert opened.store.stock.levels() == books
    assert opened.stock("ticket").sold == 1
    assert opened.state_at(pay_url) is State.PAID


def test_other_methods_and_places_are_refused_without_a_trace(market: Market) -> None:
    shopper = Shopper(market.shop.url)
    assert shopper.get("/checkout").status_code == 405
    assert shopper.get("/webhooks/stripe").status_code == 405
    assert shopper.get("/products/nothing").status_code == 404
    assert shopper.post("/products/nothing/waitlist").status_code in {400, 404}

"""The operator's pages about orders, and money that goes back from them."""

import re
from collections.abc import Callable

import fakeredis
import pytest
from flask import Flask

from storefront.app import assemble
from storefront.domain.orders import Order, State
from storefront.services import orders, settlement, work
from storefront.services.shop import Shop
from storefront.web.admin import orders as pages
from tests.fakes.stripe import FakeStripe
from tests.web.browsing import Browser, Element, path_of
from tests.web.conftest import PASSWORD


@pytest.fixture
def bought(app: Flask, shop: Shop, pay: Callable[[Order], None]) -> Order:
    """Ada has three records and a poster, paid."""
    ada = Browser(app)
    ada.send("/bag", sku="record", quantity="3")
    ada.send("/bag", sku="poster-red", quantity="1")
    ada.send("/checkout")
    (order,) = orders.listing(shop)
    pay(order)
    run(shop)
    return again(shop, order)


def run(shop: Shop) -> None:
    """A worker does what is due."""
    while work.run_due(shop, 20):
        pass


def again(shop: Shop, order: Order) -> Order:
    found = orders.by_id(shop, order.id)
    assert found is not None
    return found


def at(order: Order) -> str:
    return f"/admin/orders/{order.id}"


def figures(shop: Shop, sku: str = "record") -> tuple[int, int, int]:
    """Available, sold and written off."""
    (level,) = [one for one in shop.store.stock.levels() if one.sku == sku]
    return (level.available, level.sold, level.written_off)


def look(operator: Browser, order: Order, **values: str) -> Element:
    """The page that says what a refund would do."""
    form = operator.page(at(order)).one("form", id="refund").fields
    form.pop("whole", None)
    sent = {**form, "to": "available", "reason": "torn", **values}
    response = operator.post(f"{at(order)}/refund/look", sent)
    assert response.status_code == 200, response.text
    from tests.web.browsing import read

    return read(response.text)


def confirm(operator: Browser, order: Order, shown: Element) -> Element:
    response = operator.post(f"{at(order)}/refund", shown.one("form", id="confirm").fields)
    assert (response.status_code, path_of(response)) == (303, at(order))
    return operator.page(at(order))


def test_orders_are_listed_the_newest_first_and_by_state(
    app: Flask, shop: Shop, operator: Browser, bought: Order
) -> None:
    Browser(app, "198.51.100.8").send("/checkout", sku="poster-red", quantity="1")
    page = operator.page("/admin/orders")
    rows = [row.one("th").words for row in page.one("tbody").all("tr")]
    (opened,) = orders.listing(shop, State.OPEN)
    assert rows == [opened.id, bought.id]
    rows = operator.page("/admin/orders?state=paid").one("tbody").all("tr")
    assert [row.one("th").words for row in rows] == [bought.id]
    assert "No order in this state" in operator.page("/admin/orders?state=voided").words


@pytest.mark.parametrize("text", ["0", "-1", "x", "9999999", "²"])
def test_a_page_number_that_is_none_is_the_first_page(
    operator: Browser, bought: Order, text: str
) -> None:
    assert bought.id in operator.page(f"/admin/orders?page={text}").words


def test_a_page_shows_so_many_orders_and_links_to_older_ones(
    app: Flask, operator: Browser, bought: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "ROWS", 1)
    Browser(app, "198.51.100.8").send("/checkout", sku="poster-red", quantity="1")
    first = operator.page("/admin/orders")
    assert [a.words for a in first.one("nav", class_="pager").all("a")] == ["Older"]
    second = operator.page("/admin/orders?page=2")
    assert bought.id in second.words
    assert [a.words for a in second.one("nav", class_="pager").all("a")] == ["Newer"]


@pytest.mark.parametrize("path", ["none-such-order", "x", "..", "a b"])
def test_an_order_that_does_not_exist_is_not_found(operator: Browser, path: str) -> None:
    assert operator.get(f"/admin/orders/{path}").status_code == 404


def test_a_refund_by_line_says_what_it_does_before_it_does_it(
    shop: Shop, operator: Browser, bought: Order, stripe: FakeStripe
) -> None:
    before = figures(shop)
    shown = look(operator, bought, **{"units-record": "2"})
    price = {line.sku: line.unit_amount for line in bought.lines}["record"]
    words = shown.words
    assert "2 × record" in words
    assert "go back on sale" in words
    assert "The order stays paid" in words
    assert "In the ledger stands: torn" in words
    assert (figures(shop), stripe.all_refunds) == (before, {})
    page = confirm(operator, bought, shown)
    assert "on its way to Stripe" in page.words
    assert "On its way to Stripe" in page.words
    run(shop)
    page = operator.page(at(bought))
    assert [r["amount"] for r in stripe.all_refunds.values()] == [2 * price]
    assert figures(shop) == (before[0] + 2, before[1] - 2, 0)
    (refund,) = again(shop, bought).refunds
    assert refund.id in page.words
    assert "back on sale: torn" in page.words
    assert "refunded " + refund.id in page.words


def test_the_same_form_confirmed_twice_counts_once(
    shop: Shop, operator: Browser, bought: Order, stripe: FakeStripe
) -> None:
    shown = look(operator, bought, **{"units-record": "1"})
    confirm(operator, bought, shown)
    page = confirm(operator, bought, shown)
    assert "counted before" in page.words
    run(shop)
    page = confirm(operator, bought, shown)
    assert "counted before" in page.words
    run(shop)
    assert len(stripe.all_refunds) == 1


def test_everything_goes_back_by_one_button_and_the_order_ends(
    shop: Shop, operator: Browser, bought: Order, stripe: FakeStripe
) -> None:
    shown = look(operator, bought, whole="1", to="written_off")
    assert "the order ends as refunded" in shown.words
    assert "are written off" in shown.words
    confirm(operator, bought, shown)
    run(shop)
    assert again(shop, bought).state is State.REFUNDED
    assert figures(shop) == (0, 0, 3)
    assert operator.page(at(bought)).all("form", id="refund") == []


def test_a_stale_confirmation_is_shown_anew_or_refused(
    shop: Shop, operator: Browser, bought: Order, stripe: FakeStripe
) -> None:
    whole = look(operator, bought, whole="1")
    part = look(operator, bought, **{"units-record": "1"})
    confirm(operator, bought, part)
    run(shop)
    form = whole.one("form", id="confirm").fields
    response = operator.post(f"{at(bought)}/refund", form)
    assert response.status_code == 409
    assert "Nothing was sent" in response.text
    assert "no more than 2 can go back" in response.text
    run(shop)
    assert len(stripe.all_refunds) == 1


def test_an_order_that_would_end_now_is_shown_again_first(
    shop: Shop, operator: Browser, bought: Order, stripe: FakeStripe
) -> None:
    shown = look(operator, bought, amount="1.00", to="sold")
    order = again(shop, bought)
    stripe.refund_by_hand(order.payment_intent, order.amount - 100)
    shop.store.due.schedule(f"refund:{order.id}:{order.payment_intent}", 1)
    run(shop)
    response = operator.post(f"{at(bought)}/refund", shown.one("form", id="confirm").fields)
    assert response.status_code == 409
    assert "The order changed meanwhile" in response.text
    run(shop)
    assert len(stripe.all_refunds) == 1


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"units-record": "4"}, "no more than 3"),
        ({"units-record": "-1"}, "whole number"),
        ({"units-record": "1", "to": ""}, "what becomes of the units"),
        ({"units-record": "1", "reason": " "}, "Say why"),
        ({"units-record": "1", "reason": "x" * 201}, "one line"),
        ({"units-record": "1", "reason": "a\nb"}, "one line"),
        ({"amount": "1.234"}, "amount"),
        ({"amount": "99999"}, "more than is left"),
        ({}, "Choose units"),
        ({"units-record": "1", "payment": "pi_9"}, "no money"),
    ],
)
def test_what_cannot_be_done_is_said_with_what_was_typed_still_there(
    operator: Browser, bought: Order, values: dict[str, str], words: str
) -> None:
    form = operator.page(at(bought)).one("form", id="refund").fields
    form.pop("whole", None)
    sent = {**form, "to": "available", "reason": "torn", **values}
    response = operator.post(f"{at(bought)}/refund/look", sent)
    assert response.status_code == 422
    assert words in response.text
    assert "Nothing was sent." in response.text


@pytest.mark.parametrize(
    "changes",
    [
        {"minor": "-5"},
        {"minor": "1e3"},
        {"minor": ""},
        {"minor": "0"},
        {"key": "!"},
        {"reason": ""},
    ],
)
def test_a_damaged_confirmation_sends_nothing(
    shop: Shop, operator: Browser, bought: Order, changes: dict[str, str], stripe: FakeStripe
) -> None:
    shown = look(operator, bought, **{"units-record": "1"})
    form = shown.one("form", id="confirm").fields | changes
    assert operator.post(f"{at(bought)}/refund", form).status_code == 409
    run(shop)
    assert (again(shop, bought).plans, stripe.all_refunds) == ((), {})


def test_without_the_form_s_token_nothing_is_sent(
    shop: Shop, operator: Browser, bought: Order
) -> None:
    shown = look(operator, bought, **{"units-record": "1"})
    form = shown.one("form", id="confirm").fields | {"csrf_token": "x"}
    assert operator.post(f"{at(bought)}/refund", form).status_code == 400
    assert operator.post(f"{at(bought)}/resume", {"csrf_token": "x"}).status_code == 400
    assert again(shop, bought).plans == ()


def test_a_dispute_is_shown_and_once_won_the_order_goes_on(
    shop: Shop, operator: Browser, bought: Order, stripe: FakeStripe
) -> None:
    dispute = stripe.dispute(bought.payment_intent)
    shop.store.scripts.record_dispute(bought.id, stripe.read_dispute(dispute))
    page = operator.page(at(bought))
    assert "disputes the payment" in page.words
    assert f"Dispute {dispute}" in page.words
    response = operator.submit(page, f"{at(bought)}/resume")
    assert path_of(response) == at(bought)
    assert "stays in review: a dispute is not decided" in operator.page(at(bought)).words
    stripe.dispute_ends(dispute, "won")
    operator.submit(operator.page(at(bought)), f"{at(bought)}/resume")
    assert "is paid again" in operator.page(at(bought)).words
    assert again(shop, bought).state is State.PAID


def test_while_stripe_is_silent_a_review_stays(
    shop: Shop, operator: Browser, bought: Order, stripe: FakeStripe
) -> None:
    dispute = stripe.dispute(bought.payment_intent)
    shop.store.scripts.record_dispute(bought.id, stripe.read_dispute(dispute))
    page = operator.page(at(bought))
    stripe.down()
    operator.submit(page, f"{at(bought)}/resume")
    assert "Stripe did not answer" in operator.page(at(bought)).words
    assert again(shop, bought).state is State.REVIEW


def test_a_failed_refund_stands_on_the_page(
    shop: Shop, operator: Browser, bought: Order, stripe: FakeStripe
) -> None:
    stripe.refund_status = "failed"
    confirm(operator, bought, look(operator, bought, **{"units-record": "1"}))
    run(shop)
    page = operator.page(at(bought))
    assert re.search(r"refund re_1 failed", page.words)
    assert "failed" in [e.words for e in page.all("span", class_="bad")]


def test_an_order_that_is_only_authorised_is_cancelled_whole(
    make_shop: Callable[..., Shop], redis: fakeredis.FakeRedis, stripe: FakeStripe
) -> None:
    shop = make_shop(CAPTURE_METHOD="manual")
    app = assemble(shop)
    Browser(app).send("/checkout", sku="record", quantity="2")
    (order,) = orders.listing(shop)
    stripe.authorize(order.session)
    settlement.ask(shop, order)
    operator = Browser(app, "198.51.100.99")
    operator.send("/admin/login", password=PASSWORD)
    shown = look(operator, order, whole="1")
    assert "Nothing was taken, so nothing is refunded" in shown.words
    page = confirm(operator, order, shown)
    assert "The order is cancelled" in page.words
    stale = shown.one("form", id="confirm").fields
    assert operator.post(f"{at(order)}/refund", stale).status_code == 409
    run(shop)
    assert (again(shop, order).state, figures(shop)) == (State.VOIDED, (3, 0, 0))

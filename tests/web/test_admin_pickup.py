"""The counter: codes that are scanned, answers in green and red, and what is taken back."""

import json
from collections.abc import Callable

import pytest
from flask import Flask

from storefront.app import assemble
from storefront.domain.orders import UNDO_MS, Order, State
from storefront.services import giving_back, links, orders, settlement, work
from storefront.services.giving_back import Wish
from storefront.services.shop import Shop
from tests.fakes.stripe import FakeStripe
from tests.web.browsing import Browser, Element, path_of, read
from tests.web.conftest import PASSWORD


@pytest.fixture
def bought(app: Flask, shop: Shop, pay: Callable[[Order], None]) -> Order:
    """Ada has two records and a poster, paid."""
    ada = Browser(app)
    ada.send("/bag", sku="record", quantity="2")
    ada.send("/bag", sku="poster-red", quantity="1")
    ada.send("/checkout")
    (order,) = orders.listing(shop)
    pay(order)
    while work.run_due(shop, 20):
        pass
    return again(shop, order)


def again(shop: Shop, order: Order) -> Order:
    found = orders.by_id(shop, order.id)
    assert found is not None
    return found


def at(shop: Shop, order: Order) -> str:
    return f"/admin/pickup/{links.pickup_token(shop.settings, order.id)}"


def scan(operator: Browser, code: str, page: Element | None = None) -> tuple[int, Element, Element]:
    """The status, the answer and its whole page, after a redirect if there is one."""
    page = page or operator.page("/admin/pickup")
    fields = page.one("form", id="scan").fields | {"code": code}
    response = operator.post("/admin/pickup", fields)
    if response.status_code == 303:
        shown = operator.page(path_of(response))
    else:
        shown = read(response.text)
    return response.status_code, shown.one("section", class_="verdict"), shown


def test_the_code_in_the_confirmation_hands_everything_over_in_green(
    shop: Shop, operator: Browser, bought: Order
) -> None:
    status, answer, _ = scan(operator, links.pickup(shop.settings, bought.id))
    assert status == 303
    assert "good" in answer.attributes["class"]
    assert "2 × Record" in answer.words
    assert "1 × Opening night <poster>" in answer.words
    assert again(shop, bought).state is State.FULFILLED


def test_a_second_scan_is_red_and_says_when_the_first_was(
    shop: Shop, operator: Browser, bought: Order
) -> None:
    code = links.pickup(shop.settings, bought.id)
    scan(operator, code)
    status, answer, page = scan(operator, code)
    assert status == 409
    assert "bad" in answer.attributes["class"]
    assert "Already handed over" in answer.words
    assert "That was on" in answer.words
    assert page.all("form", id="undo") == []
    assert len(again(shop, bought).handovers) == 1


def test_a_form_whose_answer_was_lost_is_sent_again_and_green_again(
    shop: Shop, operator: Browser, bought: Order
) -> None:
    page, code = operator.page("/admin/pickup"), links.pickup(shop.settings, bought.id)
    scan(operator, code, page)
    status, answer, _ = scan(operator, code, page)
    assert (status, "good" in answer.attributes["class"]) == (303, True)
    assert len(again(shop, bought).handovers) == 1


def test_a_code_opened_by_a_telephone_changes_nothing_until_the_button_is_pressed(
    shop: Shop, operator: Browser, bought: Order
) -> None:
    page = operator.page(at(shop, bought))
    assert "to be handed over" in page.one("section", class_="verdict").words
    assert again(shop, bought).handovers == ()
    fields = page.one("form", id="hand").fields | {"units-record": "1", "units-poster-red": "0"}
    response = operator.post(at(shop, bought), fields)
    shown = operator.page(path_of(response))
    assert "1 × Record" in shown.one("section", class_="verdict").words
    assert "Still to be handed over" in shown.words
    left = again(shop, bought)
    assert (left.state, left.to_hand_over) == (State.PAID, {"record": 1, "poster-red": 1})


def test_a_number_that_is_typed_opens_the_order_and_hands_nothing_over(
    shop: Shop, operator: Browser, bought: Order
) -> None:
    status, answer, page = scan(operator, f" {bought.id.upper()} ")
    assert (status, "waiting" in answer.attributes["class"]) == (303, True)
    assert page.all("form", id="hand")
    assert again(shop, bought).handovers == ()


@pytest.mark.parametrize(
    "code",
    [
        "x",
        "https://example.com/",
        "/admin/pickup/",
        "/admin/pickup/abcdefghijklmnop-abcdefghijklmnopqrst",
        "http://[",
        "é" * 501,
    ],
)
def test_what_is_no_code_of_ours_is_red(operator: Browser, bought: Order, code: str) -> None:
    status, answer, _ = scan(operator, code)
    assert (status, "bad" in answer.attributes["class"]) == (422, True)
    assert "No such order" in answer.words


def test_the_link_of_the_order_s_own_page_is_no_pick_up_code(
    shop: Shop, operator: Browser, bought: Order
) -> None:
    status, _, _ = scan(operator, links.order(shop.settings, bought.id))
    assert status == 422
    token = links.token(shop.settings, bought.id)
    assert operator.get(f"/admin/pickup/{token}").status_code == 404
    assert again(shop, bought).handovers == ()


def test_undo_within_a_minute_puts_it_back_and_stands_in_the_ledger(
    shop: Shop, operator: Browser, bought: Order
) -> None:
    _, answer, page = scan(operator, links.pickup(shop.settings, bought.id))
    assert "for one minute" in answer.words
    undo = f"{at(shop, bought)}/undo"
    response = operator.submit(page, undo)
    shown = operator.page(path_of(response))
    assert "Taken back" in shown.words
    assert again(shop, bought).state is State.PAID
    assert [entry.what for entry in shop.store.ledger.latest(2)] == ["take_back", "take_back"]
    fields = page.one("form", id="undo").fields
    assert operator.post(undo, fields).status_code == 303
    assert [entry.what for entry in shop.store.ledger.latest(3)][2] == "hand_over"
    status, _, _ = scan(operator, links.pickup(shop.settings, bought.id))
    assert status == 303


def test_after_a_minute_it_stays(shop: Shop, operator: Browser, bought: Order) -> None:
    _, _, page = scan(operator, links.pickup(shop.settings, bought.id))
    fields = page.one("form", id="undo").fields
    name, client = shop.store.keys.order(bought.id), shop.store._client
    field = f"handover:{fields['key']}"
    done = json.loads(client.hget(name, field))
    client.hset(name, field, json.dumps({**done, "at": done["at"] - UNDO_MS}))
    response = operator.post(f"{at(shop, bought)}/undo", fields)
    shown = operator.page(path_of(response))
    assert "too late" in shown.words
    assert shown.all("form", id="undo") == []
    assert again(shop, bought).state is State.FULFILLED


def test_what_is_not_paid_or_goes_back_is_red(
    app: Flask, shop: Shop, operator: Browser, bought: Order, stripe: FakeStripe
) -> None:
    Browser(app, "198.51.100.8").send("/checkout", sku="record", quantity="1")
    (unpaid,) = orders.listing(shop, State.OPEN)
    status, answer, _ = scan(operator, links.pickup(shop.settings, unpaid.id))
    assert (status, "Not paid yet" in answer.words) == (409, True)
    seen = giving_back.preview(bought, Wish({}, None, whole=True, to="available"))
    giving_back.send_back(shop, bought, seen, reason="r", key="refund-0001", who="admin")
    status, answer, _ = scan(operator, links.pickup(shop.settings, bought.id))
    assert (status, "on its way back" in answer.words) == (409, True)
    while work.run_due(shop, 20):
        pass
    status, answer, _ = scan(operator, links.pickup(shop.settings, bought.id))
    assert (status, "money of this order goes back" in answer.words) == (409, True)
    assert again(shop, bought).handovers == ()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"units-record": "3"}, "only 2"),
        ({"units-record": "-1"}, "whole number"),
        ({"units-record": "0", "units-poster-red": "0"}, "Choose"),
        ({"key": "!"}, "damaged"),
    ],
)
def test_what_cannot_be_handed_over_is_said(
    shop: Shop, operator: Browser, bought: Order, values: dict[str, str], words: str
) -> None:
    fields = operator.page(at(shop, bought)).one("form", id="hand").fields | values
    response = operator.post(at(shop, bought), fields)
    assert response.status_code in {409, 422}
    assert words in response.text
    assert again(shop, bought).handovers == ()


def test_money_that_is_only_authorised_hands_nothing_over(
    make_shop: Callable[..., Shop], stripe: FakeStripe
) -> None:
    shop = make_shop(CAPTURE_METHOD="manual")
    app = assemble(shop)
    Browser(app).send("/checkout", sku="record", quantity="2")
    (order,) = orders.listing(shop)
    stripe.authorize(order.session)
    settlement.ask(shop, order)
    operator = Browser(app, "198.51.100.99")
    operator.send("/admin/login", password=PASSWORD)
    _, answer, _ = scan(operator, links.pickup(shop.settings, order.id))
    assert "being collected" in answer.words


def test_only_the_counter_may_use_the_camera(operator: Browser) -> None:
    header = operator.get("/admin/pickup").headers["Permissions-Policy"]
    assert "camera=(self)" in header
    assert "camera=()" in operator.get("/admin/orders").headers["Permissions-Policy"]


def test_without_login_or_token_nothing_is_handed_over(
    app: Flask, shop: Shop, operator: Browser, bought: Order
) -> None:
    stranger = Browser(app, "198.51.100.66")
    assert path_of(stranger.get(at(shop, bought))) == "/admin/login"
    fields = operator.page(at(shop, bought)).one("form", id="hand").fields
    for path in (at(shop, bought), "/admin/pickup", f"{at(shop, bought)}/undo"):
        assert operator.post(path, fields | {"csrf_token": "x"}).status_code == 400
    assert again(shop, bought).handovers == ()


def test_a_refund_that_was_looked_at_before_a_hand_over_is_shown_anew(
    shop: Shop, operator: Browser, bought: Order
) -> None:
    page = operator.page(f"/admin/orders/{bought.id}")
    form = page.one("form", id="refund").fields
    form.pop("whole", None)
    sent = {**form, "to": "available", "reason": "torn", "units-record": "1"}
    shown = read(operator.post(f"/admin/orders/{bought.id}/refund/look", sent).text)
    assert "brought back" not in shown.words
    scan(operator, links.pickup(shop.settings, bought.id))
    confirm = shown.one("form", id="confirm").fields
    response = operator.post(f"/admin/orders/{bought.id}/refund", confirm)
    assert response.status_code == 409
    assert "only if what goes back on sale was brought back" in read(response.text).words
    again_shown = read(response.text).one("form", id="confirm").fields
    assert operator.post(f"/admin/orders/{bought.id}/refund", again_shown).status_code == 303
    while work.run_due(shop, 20):
        pass
    (level,) = [one for one in shop.store.stock.levels() if one.sku == "record"]
    assert (level.available, level.sold, level.written_off) == (2, 1, 0)

"""Finding orders in the admin, the story of one, and what can be done with it there."""

from collections.abc import Callable

import pytest
from flask import Flask

from storefront.domain.orders import Order, State
from storefront.services import notices, orders, searching, work
from storefront.services.shop import Shop
from tests.web.browsing import Browser, path_of


@pytest.fixture
def bought(app: Flask, shop: Shop, pay: Callable[[Order], None]) -> Order:
    """Ada has two records, paid; somebody else holds a poster."""
    Browser(app).send("/checkout", sku="record", quantity="2")
    (order,) = orders.listing(shop)
    pay(order)
    run(shop)
    Browser(app, "198.51.100.8").send("/checkout", sku="poster-red", quantity="1")
    return again(shop, order)


def run(shop: Shop) -> None:
    while work.run_due(shop, 20):
        pass


def again(shop: Shop, order: Order) -> Order:
    found = orders.by_id(shop, order.id)
    assert found is not None
    return found


def at(order: Order) -> str:
    return f"/admin/orders/{order.id}"


def found(operator: Browser, **asked: str) -> list[str]:
    page = operator.page("/admin/orders", query_string=asked)
    return [row.one("th").words for body in page.all("tbody") for row in body.all("tr")]


def delivered(shop: Shop, order: Order) -> None:
    """As if delivery had been chosen."""
    shop.store._client.hset(shop.store.keys.order(order.id), "way", "delivery")


@pytest.mark.parametrize(
    "text",
    [
        lambda order: order.id,
        lambda order: order.id.upper(),
        lambda order: order.payment_intent,
        lambda order: order.session,
        lambda order: order.email.upper(),
        lambda order: order.email[:4],
        lambda _order: "RECORD",
    ],
)
def test_an_order_is_found_by_what_one_may_know_of_it(
    operator: Browser, bought: Order, text: Callable[[Order], str]
) -> None:
    assert found(operator, text=text(bought)) == [bought.id]
    assert found(operator, text=text(bought), state="paid", sku="record") == [bought.id]
    assert found(operator, text=text(bought), state="open") == []
    assert found(operator, text=text(bought), sku="poster-red") == []


def test_a_sku_finds_the_orders_that_have_it(operator: Browser, bought: Order) -> None:
    assert found(operator, sku="record") == [bought.id]
    assert found(operator, sku="record", state="open") == []


@pytest.mark.parametrize("text", ["none-such", "a@b", "pi_9", "é", "{x}:order:1"])
def test_what_fits_nothing_says_so(operator: Browser, bought: Order, text: str) -> None:
    page = operator.page("/admin/orders", query_string={"text": text})
    assert "No order fits" in page.words


def test_a_search_reads_so_many_orders_and_a_link_leads_further(
    app: Flask, shop: Shop, operator: Browser, bought: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        Browser(app, f"198.51.100.{10 + number}").send("/checkout", sku="poster-red", quantity="1")
    monkeypatch.setattr(searching, "CHUNK", 2)
    monkeypatch.setattr(searching, "LOOKS", 4)
    read: list[int] = []
    original = shop.store.orders.get_many
    monkeypatch.setattr(
        shop.store.orders, "get_many", lambda ids: read.append(len(ids)) or original(ids)
    )
    page = operator.page("/admin/orders", query_string={"text": "record"})
    assert "No order fits" in page.words
    assert "4 orders looked through, the newest first, back to " in page.words
    assert "there are older ones." in page.words
    assert sum(read) <= 5
    (link,) = [a for a in page.all("a") if a.words == "Search further"]
    page = operator.page(link.attributes["href"])
    assert bought.id in page.words
    assert "Search further" not in page.words
    assert f"{len(list(orders.listing(shop)))} orders looked through." in page.words


def test_a_page_of_results_goes_on_where_the_last_one_ended(
    app: Flask, shop: Shop, bought: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        Browser(app, f"198.51.100.{10 + number}").send("/checkout", sku="poster-red", quantity="1")
    monkeypatch.setattr(searching, "ROWS", 2)
    wanted = searching.Wanted(sku="poster-red")
    ids, skip, pages = [], 0, 0
    while True:
        page = searching.search(shop, wanted, skip=skip)
        ids += [order.id for order in page.orders]
        pages += 1
        if page.further is None:
            break
        skip = page.further
    assert pages > 2
    assert ids == [o.id for o in reversed(list(orders.listing(shop))) if o.id != bought.id]


def test_the_story_tells_all_in_the_order_of_time(
    shop: Shop, operator: Browser, bought: Order
) -> None:
    shop.store.scripts.settle_payment(
        bought.id,
        payment_intent=bought.payment_intent,
        session=bought.session,
        amount=bought.amount,
        email=bought.email,
        event="evt_told",
    )
    page = operator.page(at(bought))
    (story,) = page.all("ol", class_="story")
    told = [moment.words for moment in story.all("li")]
    words = " | ".join(told)
    for part in (
        "Its units were held",
        f"The payment could be made {bought.session}",
        f"Paid, its units sold {bought.payment_intent}",
        "Mail: confirmed",
        "Stripe told of it evt_told",
    ):
        assert part in words
    assert words.index("were held") < words.index("Paid") < words.index("evt_told")


def test_marked_as_sent_the_customer_hears_of_it_a_minute_later(
    shop: Shop, operator: Browser, bought: Order
) -> None:
    assert operator.page(at(bought)).all("form", id="sent") == []
    delivered(shop, bought)
    operator.submit(operator.page(at(bought)), f"{at(bought)}/sent")
    page = operator.page(at(bought))
    assert "Marked as sent" in page.words
    assert again(shop, bought).state is State.FULFILLED
    run(shop)
    assert "sent" not in again(shop, bought).notices
    job = f"mail:sent:{bought.id}"
    shop.store.due.hasten(job, shop.store.now())
    run(shop)
    assert "sent" in again(shop, bought).notices
    assert "Handed to the post: 2 × record" in operator.page(at(bought)).words


def test_the_wrong_order_marked_as_sent_is_taken_back_and_no_mail_goes_out(
    shop: Shop, operator: Browser, bought: Order
) -> None:
    delivered(shop, bought)
    operator.submit(operator.page(at(bought)), f"{at(bought)}/sent")
    operator.submit(operator.page(at(bought)), f"{at(bought)}/sent/undo")
    assert "taken back before the customer was told" in operator.page(at(bought)).words
    assert again(shop, bought).state is State.PAID
    assert f"mail:sent:{bought.id}" not in {job.name for job in shop.store.due.jobs()}


def test_an_order_that_is_fetched_is_not_marked_as_sent(
    shop: Shop, operator: Browser, bought: Order
) -> None:
    operator.send_signed_in(f"{at(bought)}/sent", key="form-0001")
    assert "changed meanwhile" in operator.page(at(bought)).words
    assert again(shop, bought).handovers == ()


def test_a_mail_is_sent_once_more_for_each_form(
    shop: Shop, operator: Browser, bought: Order
) -> None:
    folder = shop.settings.instance / "mail"
    before = len(list(folder.iterdir()))
    for _ in range(2):
        operator.send_signed_in(f"{at(bought)}/mails", kind="confirmed", key="form-0001")
        run(shop)
    assert len(list(folder.iterdir())) == before + 1
    assert set(again(shop, bought).notices) == {"confirmed", "confirmed:form-0001"}


@pytest.mark.parametrize("kind", ["sent", "review", "refunded", "", "confirmed:x"])
def test_what_never_went_out_or_is_about_one_refund_is_not_sent_again(
    shop: Shop, operator: Browser, bought: Order, kind: str
) -> None:
    operator.send_signed_in(f"{at(bought)}/mails", kind=kind, key="form-0001")
    assert "cannot be sent again" in operator.page(at(bought)).words
    run(shop)
    assert set(again(shop, bought).notices) == {"confirmed"}


def test_a_mail_is_not_sent_again_without_end(shop: Shop, bought: Order) -> None:
    for number in range(notices.MOST_AGAIN):
        assert notices.send_again(shop, again(shop, bought), "confirmed", f"form-{number:04}")
        run(shop)
    assert not notices.send_again(shop, again(shop, bought), "confirmed", "form-more")


def test_a_note_stands_in_the_story_and_nowhere_the_customer_looks(
    app: Flask, shop: Shop, operator: Browser, bought: Order
) -> None:
    page = operator.page(at(bought))
    operator.submit(page, f"{at(bought)}/notes", text="Rang: <b>Friday</b>")
    assert "Note: Rang: <b>Friday</b>, by admin" in operator.page(at(bought)).words
    shown = Browser(app).page(f"/orders/{orders.token(shop, bought.id)}")
    assert "Friday" not in shown.words


@pytest.mark.parametrize("text", ["", "  ", "x" * 501, "a\x00b"])
def test_a_note_that_is_none_is_refused(
    shop: Shop, operator: Browser, bought: Order, text: str
) -> None:
    operator.send_signed_in(f"{at(bought)}/notes", text=text, key="form-0001")
    assert "A note has 1 to 500 characters" in operator.page(at(bought)).words
    assert again(shop, bought).notes == ()


@pytest.mark.parametrize("path", ["sent", "sent/undo", "mails", "notes"])
def test_without_the_form_s_token_nothing_happens(
    shop: Shop, operator: Browser, bought: Order, path: str
) -> None:
    values = {"csrf_token": "x", "key": "form-0001", "kind": "confirmed", "text": "x"}
    assert operator.post(f"{at(bought)}/{path}", values).status_code == 400
    assert again(shop, bought) == bought


def test_a_damaged_key_does_nothing(shop: Shop, operator: Browser, bought: Order) -> None:
    for path in ("sent", "mails", "notes"):
        response = operator.send_signed_in(
            f"{at(bought)}/{path}", key="!", kind="confirmed", text="x"
        )
        assert path_of(response) == at(bought)
    assert again(shop, bought) == bought

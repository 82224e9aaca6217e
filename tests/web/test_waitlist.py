"""The pages of the waitlist: joining, one's place, what is offered, and the operator's list."""

import email
import re
from collections.abc import Callable
from email import policy
from email.message import EmailMessage

import pytest
from flask import Flask

from storefront.app import assemble
from storefront.services import links, orders, settlement, waitlist, work
from storefront.services.shop import Shop
from tests.fakes.stripe import FakeStripe
from tests.web.browsing import Browser, read

BOB = "bob@example.org"


def mails(shop: Shop, kind: str) -> list[EmailMessage]:
    """The mails of a kind that went out."""
    work.run_due(shop, 200)
    files = sorted((shop.settings.instance / "mail").glob("*.eml"))
    found = [email.message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
    return [m for m in found if isinstance(m, EmailMessage) and m["X-Shop-Mail"] == kind]


def link_of(shop: Shop, to: str) -> str:
    """The path that the mail to an address leads to."""
    letter = next(m for m in reversed(mails(shop, "waitlist")) if m["To"] == to)
    body = letter.get_body(("plain",))
    assert body is not None
    found = re.search(r"/waitlist/[a-z2-7-]+", body.get_content())
    assert found
    return found[0]


def wait(shop: Shop, browser: Browser, to: str, sku: str = "zine", quantity: str = "1") -> str:
    """Join and confirm; answers the place's path."""
    slug = "poster" if sku.startswith("poster") else sku
    values = {"sku": sku, "email": to, "quantity": quantity}
    assert browser.send(f"/products/{slug}/waitlist", **values).status_code == 303
    path = link_of(shop, to)
    assert browser.send(path, action="confirm").status_code == 303
    return path


def restock(shop: Shop, sku: str = "zine", delta: int = 1) -> None:
    key = f"k{len(list(shop.store.ledger.walk()))}"
    shop.store.scripts.restock(sku, delta=delta, reason="r", who="w", key=key)


def test_a_sold_out_product_shows_the_form_and_one_in_stock_hides_it(visitor: Browser) -> None:
    form = read(visitor.get("/products/zine").text).one("form", class_="waitlist")
    assert form.attributes["action"] == "/products/zine/waitlist"
    assert {"sku", "email", "quantity", "csrf_token"} <= form.fields.keys()
    assert "hidden" not in form.attributes
    for slug in ("record", "later"):
        form = read(visitor.get(f"/products/{slug}").text).one("form", class_="waitlist")
        assert "hidden" in form.attributes, "it comes once the product sells out before one's eyes"


def test_of_several_variants_one_waits_for_those_that_are_gone(visitor: Browser) -> None:
    form = read(visitor.get("/products/poster").text).one("form", class_="waitlist")
    options = {option.attributes["value"]: option.attributes for option in form.all("option")}
    assert "hidden" not in options["poster-ink"]
    assert {"hidden", "disabled"} <= options["poster-red"].keys()


def test_joining_leads_to_a_page_that_says_to_look_at_one_s_mail(
    shop: Shop, visitor: Browser
) -> None:
    for _ in range(2):  # the same answer for who is in line already
        response = visitor.send("/products/zine/waitlist", sku="zine", email=BOB)
        assert (response.status_code, response.location) == (303, "/products/zine/waitlist")
    assert "Look at your mail" in visitor.get(response.location).text
    [letter] = mails(shop, "waitlist")
    [place] = shop.store.waitlist.all()
    assert (letter["To"], letter["X-Shop-Order"]) == (BOB, place.orders[0])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"email": ""}, "name@example.org"),
        ({"email": "bob"}, "name@example.org"),
        ({"quantity": "0"}, "1 to 10"),
        ({"quantity": "x"}, "whole number"),
        ({"sku": "record"}, "wait for"),
        ({"sku": ""}, "Choose"),
    ],
)
def test_what_is_wrong_is_said_beside_the_form_which_is_kept(
    shop: Shop, visitor: Browser, changes: dict[str, str], words: str
) -> None:
    values = {"sku": "zine", "email": "bob@example.org", "quantity": "3"} | changes
    response = visitor.send("/products/zine/waitlist", **values)
    form = read(response.text).one("form", class_="waitlist")
    assert response.status_code == 422
    assert words in form.one(class_="error").words
    assert form.fields["email"] == values["email"]
    assert form.fields["quantity"] == values["quantity"]
    assert shop.store.waitlist.all() == []


def test_what_is_not_on_sale_yet_is_not_waited_for(visitor: Browser) -> None:
    response = visitor.send("/products/later/waitlist", sku="later", email=BOB)
    assert response.status_code == 409
    assert visitor.send("/products/nothing/waitlist", sku="x", email=BOB).status_code == 404
    assert visitor.get("/products/nothing/waitlist").status_code == 404


def test_looking_at_a_place_changes_nothing(shop: Shop, visitor: Browser) -> None:
    visitor.send("/products/zine/waitlist", sku="zine", email=BOB)
    path = link_of(shop, BOB)
    before = shop.store.waitlist.all()
    response = visitor.get(path)
    page = read(response.text)
    assert page.one("h1").words == "Confirm your place"
    assert BOB not in response.text
    assert response.headers["Cache-Control"] == "no-store"
    assert "noindex" in response.headers["X-Robots-Tag"]
    assert shop.store.waitlist.all() == before


def test_a_place_shows_how_many_are_before_it(shop: Shop, visitor: Browser) -> None:
    first = wait(shop, visitor, BOB)
    second = wait(shop, visitor, "cyd@example.org")
    assert "You are next in line" in visitor.get(first).text
    assert read(visitor.get(second).text).one(class_="place").words == "1 in line before you"
    response = visitor.send(first, action="leave")
    assert (response.status_code, response.location) == (303, first)
    assert "You have left the line" in visitor.get(first).text
    assert "You are next in line" in visitor.get(second).text


def test_an_offer_is_taken_paid_and_said_to_be_so(
    shop: Shop, visitor: Browser, stripe: FakeStripe
) -> None:
    path = wait(shop, visitor, BOB)
    restock(shop)
    [letter] = mails(shop, "offer")
    assert path in letter.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    page = read(visitor.get(path).text)
    assert page.one("h1").words == "It is your turn"
    response = visitor.send(path, action="take")
    [order] = orders.listing(shop)
    assert (response.status_code, response.location) == (303, order.url)
    assert visitor.send(path, action="take").location == order.url
    assert "You have taken it" in visitor.get(path).text
    assert visitor.get(f"/orders/{orders.token(shop, order.id)}").status_code == 200
    stripe.pay(order.session)
    settlement.ask(shop, order)
    page = read(visitor.get(path).text)
    assert page.one("h1").words == "It is yours"
    assert page.all("a", href=f"/orders/{orders.token(shop, order.id)}")


def test_each_of_several_offers_has_its_own_button(shop: Shop, visitor: Browser) -> None:
    path = wait(shop, visitor, BOB, quantity="2")
    restock(shop, delta=2)
    page = read(visitor.get(path).text)
    named = [form.fields["order"] for form in page.all("form") if "order" in form.fields]
    assert len(set(named)) == 2
    visitor.send(path, action="take", order=named[1])
    states = {order.id: order.state for order in orders.listing(shop)}
    assert (states[named[0]], states[named[1]]) == ("offered", "open")


def test_an_offer_of_somebody_else_cannot_be_taken(shop: Shop, visitor: Browser) -> None:
    wait(shop, visitor, BOB)
    other = wait(shop, visitor, "cyd@example.org")
    restock(shop)
    [order] = orders.listing(shop)
    response = visitor.send(other, action="take", order=order.id)
    assert (response.status_code, response.location) == (303, other)
    assert orders.find(shop, orders.token(shop, order.id)).state == "offered"  # type: ignore[union-attr]


def test_a_passer_by_is_told_that_others_are_in_line(shop: Shop, visitor: Browser) -> None:
    wait(shop, visitor, BOB)
    restock(shop)
    response = visitor.send("/checkout", sku="zine", quantity="1")
    assert response.status_code == 409
    wait(shop, visitor, "cyd@example.org")
    response = visitor.send("/checkout", sku="zine", quantity="1")
    assert response.status_code == 409
    assert "Others were here before you" in response.text
    assert "may return at" not in response.text


def test_the_product_page_promises_no_return_of_what_others_wait_for(
    shop: Shop, visitor: Browser
) -> None:
    visitor.send("/checkout", sku="record", quantity="3")
    [part] = read(visitor.get("/products/record").text).all(data_part="return")
    assert part.words.startswith("at ")
    wait(shop, visitor, BOB, sku="record")
    [part] = read(visitor.get("/products/record").text).all(data_part="return")
    assert part.words == "soon"


def test_the_order_s_page_leads_to_where_an_offer_is_taken(shop: Shop, visitor: Browser) -> None:
    path = wait(shop, visitor, BOB)
    restock(shop)
    [order] = orders.listing(shop)
    page = read(visitor.get(f"/orders/{orders.token(shop, order.id)}").text)
    assert page.one("h1").words == "Set aside for you"
    assert [a for a in page.all("a") if a.attributes["href"].endswith(path)]


@pytest.mark.parametrize(
    ("how", "title"),
    [("missed", "Your offer has passed"), ("stopped", "Your place was ended")],
)
def test_a_place_that_ended_says_how(
    shop: Shop, visitor: Browser, operator: Browser, how: str, title: str
) -> None:
    path = wait(shop, visitor, BOB)
    restock(shop)
    [order] = orders.listing(shop)
    if how == "missed":
        settlement.withdraw(shop, order, settlement.Reason.EXPIRED)
    else:
        operator.send_signed_in("/admin/waitlist/stop", order=order.id)
    assert read(visitor.get(path).text).one("h1").words == title
    [letter] = mails(shop, "offer-missed")
    assert (letter["To"], letter["X-Shop-Order"]) == (BOB, order.id)
    assert visitor.send(path, action="take").location == path
    assert visitor.send(path, action="confirm").location == path


def test_a_place_that_was_not_confirmed_is_gone(shop: Shop, visitor: Browser) -> None:
    visitor.send("/products/zine/waitlist", sku="zine", email=BOB)
    path = link_of(shop, BOB)
    waitlist.lapse_when_due(shop, shop.store.waitlist.all()[0].id)
    response = visitor.get(path)
    assert response.status_code == 404
    assert "This place is gone" in response.text
    assert visitor.send(path, action="confirm").status_code == 404
    assert visitor.get("/waitlist/nothing").status_code == 404


def test_an_unknown_wish_is_refused(shop: Shop, visitor: Browser) -> None:
    path = wait(shop, visitor, BOB)
    response = visitor.send(path, action="jump")
    assert response.status_code == 422
    assert path in response.text


def test_stripe_away_while_an_offer_is_taken_is_a_503_and_taking_again_goes_on(
    shop: Shop, visitor: Browser, stripe: FakeStripe, silence: Callable[[], None]
) -> None:
    path = wait(shop, visitor, BOB)
    restock(shop)
    silence()
    response = visitor.send(path, action="take")
    assert response.status_code == 503
    assert "Retry-After" in response.headers


def test_joining_is_limited_like_other_posts(make_shop: Callable[..., Shop]) -> None:
    browser = Browser(assemble(make_shop(RATE_LIMIT="on")))
    codes = [
        browser.send("/products/zine/waitlist", sku="zine", email=f"a{n}@example.org").status_code
        for n in range(61)
    ]
    assert codes[-1] == 429


def test_of_a_hundred_who_joined_the_first_ten_are_offered_the_ten_units_that_come(
    shop: Shop, visitor: Browser, operator: Browser, stripe: FakeStripe
) -> None:
    names = [f"p{number:03}@example.org" for number in range(100)]
    for name in names:
        visitor.send("/products/zine/waitlist", sku="zine", email=name)
    places = {one.email: one.id for one in shop.store.waitlist.all()}
    paths = {n: f"/waitlist/{links.place_token(shop.settings, places[n])}" for n in names}
    for name in reversed(names):
        assert visitor.send(paths[name], action="confirm").status_code == 303
    operator.send_signed_in("/admin/restock", sku="zine", delta="10", reason="found", key="")
    titles = [read(visitor.get(paths[name]).text).one("h1").words for name in names]
    assert titles == ["It is your turn"] * 10 + ["You are next in line"] + ["You are in line"] * 89
    assert visitor.send("/checkout", sku="zine", quantity="1").status_code == 409
    for name in names[:10]:
        assert visitor.send(paths[name], action="take").status_code == 303
    for order in orders.listing(shop):
        stripe.pay(order.session)
        settlement.ask(shop, order)
    states = {order.state for order in orders.listing(shop)}
    assert (states, len(list(orders.listing(shop)))) == ({"paid"}, 10)
    assert visitor.get("/stock.json").json["zine"] == {"available": 0, "held": 0}


# The operator


def test_the_operator_sees_every_line_without_addresses(
    shop: Shop, visitor: Browser, operator: Browser
) -> None:
    assert "Nobody is in line" in operator.get("/admin/waitlist").text
    wait(shop, visitor, BOB)
    wait(shop, visitor, "cyd@example.org")
    visitor.send("/products/poster/waitlist", sku="poster-ink", email=BOB)
    restock(shop)
    response = operator.get("/admin/waitlist")
    rows = [row.words for row in read(response.text).all("tr")]
    assert "example.org" not in response.text
    assert len([row for row in rows if "offered" in row]) == 1
    assert len([row for row in rows if "unconfirmed" in row]) == 1
    assert len([row for row in rows if " waiting " in row]) == 1


def test_the_operator_stops_a_place(shop: Shop, visitor: Browser, operator: Browser) -> None:
    path = wait(shop, visitor, BOB)
    wait(shop, visitor, "cyd@example.org")
    first = shop.store.waitlist.all()[0]
    response = operator.send_signed_in("/admin/waitlist/stop", place=first.id)
    assert response.status_code == 303
    assert "Your place was ended" in visitor.get(path).text
    restock(shop)
    [order] = orders.listing(shop)
    assert order.email == "cyd@example.org"


@pytest.mark.parametrize(
    "values", [{}, {"place": "x"}, {"order": "nothing-there"}, {"place": "nothing-there"}]
)
def test_what_is_not_there_cannot_be_stopped(operator: Browser, values: dict[str, str]) -> None:
    assert operator.send_signed_in("/admin/waitlist/stop", **values).status_code == 404


def test_an_offer_that_was_taken_is_not_stopped(
    shop: Shop, visitor: Browser, operator: Browser
) -> None:
    path = wait(shop, visitor, BOB)
    restock(shop)
    visitor.send(path, action="take")
    [order] = orders.listing(shop)
    operator.send_signed_in("/admin/waitlist/stop", order=order.id)
    assert "nothing was changed" in operator.get("/admin/waitlist").text
    assert orders.find(shop, orders.token(shop, order.id)).state == "open"  # type: ignore[union-attr]


def test_nobody_else_sees_or_stops_anything(app: Flask, shop: Shop, visitor: Browser) -> None:
    wait(shop, visitor, BOB)
    place = shop.store.waitlist.all()[0]
    assert visitor.get("/admin/waitlist").location == "/admin/login"
    assert visitor.send("/admin/waitlist/stop", place=place.id).status_code == 403
    assert shop.store.waitlist.get(place.id) == place

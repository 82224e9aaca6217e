"""A price is the same money in the catalogue file, on every page, at Stripe, in mails and back."""

from collections.abc import Callable
from email import message_from_bytes, policy

import fakeredis
import pytest

from storefront.app import assemble
from storefront.clients.mail import Mailer
from storefront.domain.catalogue_file import read_catalogue
from storefront.domain.orders import State
from storefront.domain.payments import RefundFact
from storefront.services import orders, refunds, work
from storefront.services.publishing import publish
from storefront.services.shop import Shop
from storefront.settings import Settings
from storefront.storage.store import open_store
from tests.fakes.stripe import FakeStripe
from tests.web.browsing import Browser

GOODS = """
[[products]]
slug = "lamp"
name = "Lamp"

[[products.variants]]
sku = "lamp"
price = "{price}"
stock = 5
"""


@pytest.mark.parametrize(
    ("currency", "locale", "price", "amount", "one", "two"),
    [
        ("usd", "en_US", "25.50", 2550, "$25.50", "$51.00"),
        ("jpy", "ja_JP", "2500", 2500, "￥2,500", "￥5,000"),
        ("kwd", "en_US", "12.340", 12340, "KWD12.340", "KWD24.680"),
        ("isk", "is_IS", "2500", 250000, "2.500 kr.", "5.000 kr."),
        ("ugx", "en_US", "5000", 500000, "UGX5,000", "UGX10,000"),
        ("huf", "hu_HU", "1234.50", 123450, "1 234,50 Ft", "2 469,00 Ft"),
        ("rsd", "en_US", "25.50", 2550, "RSD25.50", "RSD51"),
        ("idr", "en_US", "150000.00", 15000000, "IDR150,000.00", "IDR300,000.00"),
        (
            "idr",
            "en_US",
            "4999999999.99",
            499999999999,
            "IDR4,999,999,999.99",
            "IDR9,999,999,999.98",
        ),
    ],
)
def test_a_price_stays_what_it_is(
    make_settings: Callable[..., Settings],
    redis: fakeredis.FakeRedis,
    stripe: FakeStripe,
    currency: str,
    locale: str,
    price: str,
    amount: int,
    one: str,
    two: str,
) -> None:
    settings = make_settings(SHOP_CURRENCY=currency, SHOP_LOCALE=locale)
    mailer = Mailer("", settings.mail_from, settings.instance / "mail")
    store = open_store(redis, settings.shop_id)
    shop = Shop(settings=settings, store=store, stripe=stripe, mailer=mailer)
    publish(shop, read_catalogue(GOODS.format(price=price), currency, ()), prune=False)
    visitor = Browser(assemble(shop))

    # The file, the shelf, the product and the bag.
    lamp = shop.store.catalogue.current().by_sku("lamp")
    assert lamp
    assert lamp[1].price == amount
    assert one in visitor.page("/").words
    assert visitor.page("/products/lamp").one("p", class_="price").words == one
    visitor.send("/bag", sku="lamp", quantity="2")
    assert visitor.page("/bag").one("tfoot").words == f"Total {two}"

    # Stripe, and what it says of the payment.
    visitor.submit(visitor.page("/bag"), "checkout")
    (order,) = orders.listing(shop)
    session = stripe.sessions[order.session]
    assert (session["currency"], session["amount_total"]) == (currency, 2 * amount)
    stripe.pay(order.session, email="ada@customer.example")
    link = f"/orders/{orders.token(shop, order.id)}"
    assert visitor.page(link).one("tfoot").words == f"Total {two}"
    paid = orders.find(shop, orders.token(shop, order.id))
    assert paid
    assert (paid.state, paid.payments) == (State.PAID, {paid.payment_intent: 2 * amount})

    # A part of it goes back.
    fact = RefundFact(
        "re_1", paid.payment_intent, amount, "succeeded", paid.id, shop.settings.shop_id
    )
    refunds.record(shop, paid, fact)
    assert f"Refund {one}" in visitor.page(link).one("dl").words
    while work.run_due(shop, 10):
        pass
    texts = [text_of(file.read_bytes()) for file in (shop.settings.instance / "mail").iterdir()]
    assert any(f"Lamp, {one} each: {two}" in text for text in texts)
    assert any(f"The refund of {one} was sent back" in text for text in texts)


def text_of(mail: bytes) -> str:
    part = message_from_bytes(mail, policy=policy.default).get_body(("plain",))
    assert part is not None
    return " ".join(part.get_content().split())

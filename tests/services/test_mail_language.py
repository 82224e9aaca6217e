"""Mails are in the language in which the order was begun or the place in line taken."""

from dataclasses import fields
from typing import Any

from storefront import languages
from storefront.services import mail_samples, notice_forms, notices, settlement
from storefront.services.notice_parts import Notice
from storefront.services.shop import Shop
from tests.services.test_notices import begin, buy, fresh, html_of, open_it, send, shop, text_of
from tests.services.test_waitlist import gone, place_of, wait
from tests.services.town import Town

__all__ = ["gone", "open_it", "shop"]


def texts(notice: Notice) -> list[str]:
    """Every sentence of a mail."""
    found: list[Any] = [notice.subject, notice.title]
    for part in notice.parts:
        for field in fields(part):
            value = getattr(part, field.name)
            found += value if isinstance(value, tuple) else [value]
    words: list[str] = []
    for one in found:
        words += [str(one[0])] if isinstance(one, tuple) else [one] if isinstance(one, str) else []
    return [text for text in words if " " in text and "://" not in text]


def test_every_mail_to_a_customer_is_wholly_german(shop: Shop) -> None:
    english = mail_samples.samples(shop)
    with languages.spoken("de"):
        german = mail_samples.samples(shop)
    left = {
        (name, text)
        for name, notice in english.items()
        if name != "review"  # to the operator
        for text in set(texts(notice)) & set(texts(german[name]))
    }
    assert left == set()
    assert texts(english["review"])[0] == texts(german["review"])[0]


def test_both_forms_of_a_mail_are_in_its_language(shop: Shop) -> None:
    with languages.spoken("de"):
        forms = notice_forms.write(shop.settings, mail_samples.samples(shop)["confirmed"])
    assert '<html lang="de">' in forms.html
    assert "je 25,00\xa0$" in forms.text
    assert "Summe" in forms.text
    assert "Total" not in forms.html + forms.text


def test_an_order_keeps_the_language_in_which_it_was_begun(shop: Shop) -> None:
    with languages.spoken("de"):
        order = begin(shop, 1, "v1")
    assert fresh(shop, order).language == "de"
    assert shop.stripe.pay(order.session, email="ada@customer.example")
    settlement.ask(shop, order)
    mail = send(shop, "confirmed", order)
    assert mail["Subject"] == f"Bestellung {order.id} gehört dir"
    assert "Danke! Deine Zahlung von 25,00\xa0$ ist angekommen" in " ".join(
        text_of(mail).split("\n")
    )
    assert '<html lang="de">' in html_of(mail)
    assert languages.current() == "en"


def test_the_next_mail_is_in_its_own_readers_language(shop: Shop) -> None:
    with languages.spoken("de"):
        german = buy(shop, quantity=1, visitor="v1")
    english = buy(shop, quantity=1, visitor="v2")
    subjects = [send(shop, "confirmed", order)["Subject"] for order in (german, english)]
    assert subjects == [f"Bestellung {german.id} gehört dir", f"Order {english.id} is yours"]


def test_the_operator_s_mail_is_english_whatever_the_customer_reads(shop: Shop) -> None:
    with languages.spoken("de"):
        order = buy(shop, quantity=1)
    shop.store.scripts.review_order(order.id, reason="a reason")
    assert send(shop, "review", order)["Subject"] == f"Please look at order {order.id}"


def test_a_language_that_the_shop_speaks_no_more_gives_way_to_its_own(open_it) -> None:
    with languages.spoken("de"):
        order = buy(open_it(), quantity=1)
    only_english = open_it(SHOP_LANGUAGES="en")
    assert notices.reader(only_english, order.language) == "en"
    assert notices.reader(open_it(SHOP_LOCALE="de_AT"), "") == "de"


def test_a_place_in_line_and_its_offers_keep_their_language(gone: Town) -> None:
    with languages.spoken("de"):
        wait(gone, "bob")
    place = place_of(gone, "bob")
    assert place.language == "de"
    [held] = [order for order in gone.shop.store.orders.walk() if order.visitor == "ada"]
    settlement.end(gone.shop, held, "cancelled")
    [offer] = [order for order in gone.shop.store.orders.walk() if order.place]
    assert offer.language == "de"

"""There is a sample of every mail, and making it changes nothing."""

from storefront.services import mail_samples, notice_forms, notices, waitlist_mails
from storefront.services.shop import Shop
from tests.books import dump
from tests.services.test_notices import open_it, shop

__all__ = ["open_it", "shop"]


def test_every_kind_of_mail_has_a_sample(shop: Shop) -> None:
    assert {*notices.KINDS, waitlist_mails.KIND} <= set(mail_samples.samples(shop))


def test_samples_can_be_written_in_every_kind_of_currency(open_it) -> None:
    for currency in ("usd", "jpy", "kwd", "isk", "huf"):
        shop = open_it(SHOP_CURRENCY=currency, SHOP_ID=currency)
        for notice in mail_samples.samples(shop).values():
            forms = notice_forms.write(shop.settings, notice)
            assert notice.title in forms.text
            assert notice.title in forms.html


def test_samples_leave_the_books_alone(shop: Shop) -> None:
    before = dump(shop.store._client)
    mail_samples.samples(shop)
    assert dump(shop.store._client) == before

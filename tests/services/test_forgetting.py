"""A customer is shown, handed out and forgotten; what they bought stays in the books."""

import json

import pytest

from storefront.domain.door import Door
from storefront.domain.errors import BadInput, ShopClosed
from storefront.domain.orders import Order
from storefront.services import forgetting, mailboxes, recovery, waitlist, work
from tests.services.conftest import Build
from tests.services.test_waitlist import join, wait
from tests.services.town import Town
from tests.storage.test_scripts_forget_customer import texts

ADA = "ada@example.com"
DAYS = 30


def buy(town: Town, visitor: str = "ada", sku: str = "poster") -> Order:
    """Bought, paid, and told by mail."""
    order = town.begin({sku: 1}, visitor=visitor, token=f"form-of-{visitor}").order
    town.stripe.pay(order.session, email=f"{visitor}@example.com")
    town.deliver()
    town.work()
    return town.order(order)


def left(town: Town, word: str = ADA) -> list[str]:
    """Where a word still stands, in Redis or in a mail that is kept as a file."""
    mails = [file.read_text() for file in (town.shop.settings.instance / "mail").glob("*.eml")]
    found = [*texts(town.shop.store._client), *mails]
    return [text for text in found if word.lower() in text.lower()]


def test_a_customer_is_forgotten_everywhere_and_the_books_are_as_they_were(town: Town) -> None:
    order = buy(town)
    other = buy(town, "bob", "last")
    wait(town, "ada", sku="last")
    before, level = forgetting.known(town.shop, ADA), town.level()
    assert [one.id for one in before.orders] == [order.id]
    assert left(town)
    done = forgetting.forget(town.shop, ADA.upper())
    assert (done.orders, done.places, done.kept) == (1, 1, ())
    assert done.mails >= 1
    assert left(town) == []
    assert town.level() == level
    assert town.order(order).payments == order.payments
    assert town.order(other).email == "bob@example.com"
    assert left(town, "bob@example.com")
    assert forgetting.known(town.shop, ADA).nothing
    assert town.failing(with_stripe=True) == {}


def test_a_repeat_finds_nothing_more_to_do(town: Town) -> None:
    buy(town)
    forgetting.forget(town.shop, ADA)
    assert forgetting.forget(town.shop, ADA) == forgetting.Forgotten(0, 0, 0, ())


def test_a_forgotten_customer_is_mailed_no_orders(town: Town) -> None:
    buy(town)
    forgetting.forget(town.shop, ADA)
    mailboxes.mail_orders(town.shop, ADA)
    town.work()
    assert town.mails("orders") == []


def test_money_that_goes_back_later_brings_no_address_back(town: Town) -> None:
    """The mail about it would have to ask Stripe who the customer is."""
    order = buy(town)
    forgetting.forget(town.shop, ADA)
    town.stripe.refund_by_hand(order.payment_intent)
    town.deliver()
    town.work()
    assert town.order(order).state == "refunded"
    assert town.mails("refunded") == []
    assert left(town) == []
    town.rest()


def test_what_is_still_due_is_done_first(town: Town) -> None:
    order = town.begin().order
    town.stripe.pay(order.session, email=ADA)
    town.deliver()
    [kept] = forgetting.forget(town.shop, ADA).kept
    assert (kept.order, kept.why) == (order.id, "this is still due for it: mail")
    town.work()
    assert town.mails("confirmed") == [order.id]
    assert forgetting.forget(town.shop, ADA).orders == 1


def test_an_offer_goes_to_the_next_in_line(town: Town) -> None:
    first = buy(town, "bob", "last")
    wait(town, "ada", "eve", sku="last")
    town.stripe.refund_by_hand(first.payment_intent)
    town.deliver()
    town.work()
    forgetting.forget(town.shop, ADA)
    town.work()
    assert forgetting.forget(town.shop, ADA).kept == ()
    assert left(town) == []
    [offered] = [order for order in town.orders() if order.state == "offered"]
    assert offered.email == "eve@example.com"


def test_an_unconfirmed_place_is_forgotten(town: Town) -> None:
    buy(town, "bob", "last")
    join(town, "ada", "last")
    town.work()
    assert forgetting.forget(town.shop, ADA).places == 1
    assert left(town) == []


def test_the_export_has_orders_mails_and_places(town: Town) -> None:
    order = buy(town)
    buy(town, "bob", "last")
    wait(town, "ada", sku="last")
    document = forgetting.export(town.shop, forgetting.known(town.shop, ADA))
    assert json.loads(json.dumps(document)) == document
    [told] = document["orders"]
    assert (told["id"], told["email"]) == (order.id, ADA)
    assert told["payment_intent"] == order.payment_intent
    assert list(told["mails"]) == ["confirmed"]
    [place] = document["waitlist"]
    assert (place["sku"], place["state"], place["units"]) == ("last", "waiting", 1)
    assert "bob" not in json.dumps(document)


@pytest.mark.parametrize("email", ["", "ada", "a b@example.com", "a" * 255 + "@example.com"])
def test_what_is_no_address_is_refused(town: Town, email: str) -> None:
    with pytest.raises(BadInput):
        forgetting.forget(town.shop, email)


def test_while_orders_may_be_lost_nobody_is_told_that_nothing_is_kept(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "stands", lambda _: Door.REBUILD)
    with pytest.raises(ShopClosed):
        forgetting.forget(town.shop, ADA)


def test_after_so_many_days_the_worker_forgets(build: Build) -> None:
    town = build(RETENTION_DAYS=str(DAYS))
    work.begin(town.shop)
    order = buy(town)
    town.skip((DAYS - 1) * 86_400)
    town.work()
    assert town.order(order).email == ADA
    buy(town, "bob")
    town.skip(86_400 + 1)
    town.work()
    assert town.order(order).erased
    assert left(town) == []
    assert left(town, "bob@example.com"), "a day later he is not old enough"


def test_a_shop_that_keeps_all_never_forgets(town: Town) -> None:
    work.begin(town.shop)
    assert forgetting.JOB not in town.due()
    town.shop.store.due.schedule(forgetting.JOB, town.shop.store.now())
    town.work()
    assert forgetting.JOB not in town.due(), "the setting was taken back"


def test_an_old_order_that_is_not_over_is_kept(build: Build) -> None:
    town = build(RETENTION_DAYS="1")
    order = buy(town)
    town.shop.store.scripts.review_order(order.id, reason="look")
    town.work()
    town.skip(3 * 86_400)
    assert forgetting.forget_when_due(town.shop, "all") == forgetting.AGAIN_MS
    assert town.order(order).email == ADA


def test_more_than_a_batch_follows_at_once(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "BATCH", 1)
    town = build(RETENTION_DAYS="1")
    orders = [buy(town), buy(town, "bob")]
    town.skip(2 * 86_400)
    assert forgetting.forget_when_due(town.shop, "all") == forgetting.SOON_MS
    assert sum(bool(town.order(order).erased) for order in orders) == 1
    forgetting.forget_when_due(town.shop, "all")
    assert all(town.order(order).erased for order in orders)
    assert forgetting.forget_when_due(town.shop, "all") == forgetting.AGAIN_MS


def test_a_place_whose_offers_are_over_is_forgotten_and_one_that_waits_is_not(
    build: Build,
) -> None:
    town = build(RETENTION_DAYS="1", OFFER_SECONDS="900000")
    first = buy(town, "bob", "last")
    wait(town, "ada", "eve", sku="last")
    town.stripe.refund_by_hand(first.payment_intent)
    town.deliver()
    town.work()
    town.skip(2 * 86_400)
    forgetting.forget_when_due(town.shop, "all")
    emails = {place.email for place in town.shop.store.waitlist.all()}
    assert emails == {ADA, "eve@example.com"}, "ada's offer can be taken still"
    [offer] = [order for order in town.orders() if order.state == "offered"]
    waitlist.stop_offer(town.shop, offer.id, "admin")
    forgetting.forget_when_due(town.shop, "all")
    assert ADA not in {place.email for place in town.shop.store.waitlist.all()}

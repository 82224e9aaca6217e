"""Who lost the link to an order gets it by mail, at the address that the order has, and nobody else."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from storefront.domain.door import Door
from storefront.domain.errors import BadInput, ShopClosed
from storefront.domain.orders import Order, State
from storefront.services import links, mailboxes, notices, orders_text, recovery, work
from storefront.services.shop import Shop
from tests.services.test_notices import ADA, buy, open_it, sent, shop, text_of, words_of

__all__ = ["open_it", "shop"]


def work_off(shop: Shop) -> None:
    while work.run_due(shop, 20):
        pass


def asked_for(shop: Shop) -> list[str]:
    """Where mails with orders went."""
    work_off(shop)
    return [mail["To"] for mail in sent(shop) if mail["X-Shop-Mail"] == "orders"]


def test_an_address_gets_the_links_to_all_its_orders_the_newest_first(shop: Shop) -> None:
    first = buy(shop, quantity=1, visitor="v1")
    second = buy(shop, quantity=1, visitor="v2", email=ADA.upper())
    other = buy(shop, quantity=1, visitor="v3", email="bob@customer.example")
    mailboxes.mail_orders(shop, ADA)
    assert asked_for(shop) == [ADA.upper()]
    mail = sent(shop)[-1]
    assert mail["X-Shop-Order"] == second.id
    found = re.findall(r"https://moth\.example/orders/\S+", text_of(mail))
    assert found == [links.order(shop.settings, one.id) for one in (second, first)]
    assert other.id not in text_of(mail)
    assert "$25.00, yours: https://" in words_of(mail)


def test_an_address_without_orders_gets_nothing(shop: Shop) -> None:
    buy(shop)
    mailboxes.mail_orders(shop, "eve@customer.example")
    assert asked_for(shop) == []


def test_one_mail_is_sent_however_often_it_is_asked_for(shop: Shop) -> None:
    buy(shop)
    for email in (ADA, ADA.upper(), ADA):
        mailboxes.mail_orders(shop, email)
        work_off(shop)
    assert asked_for(shop) == [ADA]


def test_two_wishes_are_two_mails_that_no_mail_program_takes_for_one(shop: Shop) -> None:
    buy(shop)
    for _ in range(2):
        mailboxes.mail_orders(shop, ADA)
        work_off(shop)
        shop.store._client.delete(shop.store.keys.asked())
    ids = [mail["Message-ID"] for mail in sent(shop) if mail["X-Shop-Mail"] == "orders"]
    assert len(set(ids)) == len(ids) == 2


def test_known_and_unknown_addresses_cost_the_same_calls(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    buy(shop)
    mailboxes.mail_orders(shop, "bob@customer.example")  # loads the script
    calls: list[list[str]] = []
    run = shop.store._client.execute_command
    for email in (ADA, "eve@customer.example"):
        made: list[str] = []

        def note(*args: object, made: list[str] = made, **options: object) -> object:
            made.append(str(args[0]))
            return run(*args, **options)

        monkeypatch.setattr(shop.store._client, "execute_command", note)
        mailboxes.mail_orders(shop, email)
        calls.append(made)
    known, unknown = calls
    assert known == unknown
    assert known


def test_no_job_key_or_log_line_has_the_address(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    buy(shop)
    mailboxes.mail_orders(shop, ADA)
    mailboxes.mail_orders(shop, "eve@customer.example")
    names = [job.name for job in shop.store.due.jobs()] + list(shop.store._client.scan_iter())
    work_off(shop)
    assert not [name for name in names if "@" in name]
    assert "@" not in caplog.text


@pytest.mark.parametrize(
    "email",
    ["", "ada", "ada@", "@x.example", "a b@x.example", "a@x.example,b@x.example", "a" * 255],
)
def test_what_is_no_address_is_refused(shop: Shop, email: str) -> None:
    with pytest.raises(BadInput):
        mailboxes.mail_orders(shop, email)


def test_while_orders_may_be_lost_nobody_is_told_that_they_have_none(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "stands", lambda _: Door.REBUILD)
    with pytest.raises(ShopClosed):
        mailboxes.mail_orders(shop, ADA)


@pytest.mark.parametrize("state", State)
def test_every_state_has_its_words(shop: Shop, state: State) -> None:
    notice = orders_text.listing(shop.settings, [replace(buy(shop), state=state)])
    assert orders_text.STANDS[state] in str(notice.parts)


def test_a_mail_has_so_many_orders_and_says_when_there_are_more(
    open_it: Callable[..., Shop],
) -> None:
    shop = open_it()
    order = buy(shop)
    many = [replace(order, id=f"{number:016}") for number in range(orders_text.MOST + 1)]
    for found, more in ((many, True), (many[:-1], False)):
        notice = orders_text.listing(shop.settings, found)
        assert str(notice.parts).count("/orders/") == orders_text.MOST
        assert ("older ones are not listed" in str(notice.parts)) == more


@pytest.mark.parametrize(("lines", "told"), [(3, "1 × L2;"), (4, "1 × L2, 1 more;")])
def test_a_long_order_is_named_by_its_first_lines(shop: Shop, lines: int, told: str) -> None:
    order: Order = buy(shop)
    many = tuple(replace(order.lines[0], quantity=1, name=f"L{n}") for n in range(lines))
    notice = orders_text.listing(shop.settings, [replace(order, lines=many)])
    assert told in str(notice.parts)


def test_every_kind_is_written_by_somebody() -> None:
    assert {"confirmed", "refunded", "voided", "sent", "orders", "review"} <= set(notices.KINDS)

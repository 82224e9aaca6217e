"""Mistakes about payment links: units that go back too soon, are sold twice, or are never heard of."""

from itertools import count
from typing import Any

from storefront.domain.payment_links import PaymentLink
from storefront.services import link_sessions, payment_links, work
from storefront.services.shop import Shop
from tests.simulation.bugs.bug import Bug

numbers = count()


def close_unasked(shop: Shop, link_id: str) -> None:
    _, run = shop.store.scripts.read_door()
    if link := shop.store.links.get(link_id):
        shop.store.scripts.close_link(link_id, why="closed", stripe=link.stripe, run=run)


def new_key(link: PaymentLink) -> str:
    return f"link:{link.id}:{next(numbers)}"


def leave_open(*_: Any) -> bool:
    return True


def forget(*_: Any) -> None:
    pass


BUGS = (
    Bug(
        "gives a link's units back without asking Stripe",
        swaps=(
            (payment_links, "close_when_due", close_unasked),
            (work, "WORK", work.WORK | {"unlink": close_unasked}),
        ),
    ),
    Bug(
        "leaves the open sessions of a link that it closes",
        swaps=((link_sessions, "end_open", leave_open),),
    ),
    Bug(
        "makes a link under a new key after silence",
        swaps=((payment_links, "key", new_key),),
    ),
    Bug(
        "asks nobody what a link has sold",
        swaps=((link_sessions, "catch_up", forget),),
    ),
    Bug(
        "sells a unit of a link that the link keeps",
        lua=(("take_unit", "redis.call('HSET', LINK, 'left', int(left))", ""),),
    ),
    Bug(
        "takes another unit when a session is heard of again",
        lua=(("take_unit", "if redis.call('HEXISTS', ORDER, 'state') == 1 then", "if false then"),),
    ),
    Bug(
        "sets units aside that it leaves on the shelf",
        lua=(
            (
                "open_link",
                "'available', 'held', 'allot'",
                "'', 'held', 'allot'",
            ),
        ),
    ),
)

"""What somebody is told who asked for the links to their orders."""

from collections.abc import Sequence

from storefront.domain.orders import Order, State
from storefront.services import links
from storefront.services.notice_parts import Button, Facts, Notice, Words, paragraphs, steps
from storefront.services.shop import Shop
from storefront.settings import Settings

MOST = 20
"""Orders in one mail."""
MOST_LINES = 3
"""Of an order that are named; its page has them all."""
STANDS = {
    State.OFFERED: "offered to you",
    State.PENDING: "held for you",
    State.OPEN: "held for you",
    State.PROCESSING: "your payment is on its way",
    State.AUTHORIZED: "yours",
    State.PAID: "yours",
    State.FULFILLED: "handed over",
    State.RELEASED: "ended unpaid",
    State.REFUND_DUE: "your money goes back",
    State.REFUNDED: "refunded",
    State.VOID_DUE: "cancelled, nothing is taken",
    State.VOIDED: "cancelled, nothing was taken",
    State.REVIEW: "a person looks at it",
}
"""How an order stands, in a few words."""


def orders(shop: Shop, newest: Order, _about: str = "") -> Notice:
    """The links to all orders of the address that the newest of them has."""
    return listing(shop.settings, shop.store.orders.by_email(newest.email, most=MOST + 1))


def listing(settings: Settings, found: Sequence[Order]) -> Notice:
    """The links to these orders, the newest first; to MOST of them."""
    more = "These are the newest; older ones are not listed." if len(found) > MOST else ""
    return Notice(
        subject=f"Your orders at {settings.shop_name}",
        title="Your orders",
        parts=(
            *paragraphs(
                "You asked for the links to the orders that were made with this address. Here they "
                "are, the newest first.",
                more,
            ),
            Facts(tuple(_row(settings, order) for order in found[:MOST])),
            Button("To the shop", settings.public_url),
            *steps(
                "Good to know",
                (
                    "Whoever has the link to an order can open it, so share it with care.",
                    "Was it not you who asked? You need not do anything: only you got this mail.",
                ),
            ),
        ),
    )


def _row(settings: Settings, order: Order) -> tuple[str, str]:
    words = Words(settings, order)
    lines = words.lines()
    goods = [f"{line.quantity} × {line.name}" for line in lines.rows[:MOST_LINES]]
    if hidden := len(lines.rows) - MOST_LINES:
        goods += [f"{hidden} more"] if hidden > 0 else []
    told = f"{', '.join(goods)}; {lines.total}, {STANDS[order.state]}"
    return words.moment(order.created), f"{told}: {links.order(settings, order.id)}"

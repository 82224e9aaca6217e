"""What somebody is told who asked for the links to their orders."""

from collections.abc import Sequence

from storefront.domain.orders import Order, State
from storefront.languages import _, mark
from storefront.services import links
from storefront.services.notice_parts import Button, Facts, Notice, Words, paragraphs, steps
from storefront.services.shop import Shop
from storefront.settings import Settings

MOST = 20
"""Orders in one mail."""
MOST_LINES = 3
"""Of an order that are named; its page has them all."""
STANDS = {
    State.OFFERED: mark("offered to you"),
    State.PENDING: mark("held for you"),
    State.OPEN: mark("held for you"),
    State.PROCESSING: mark("your payment is on its way"),
    State.AUTHORIZED: mark("yours"),
    State.PAID: mark("yours"),
    State.FULFILLED: mark("handed over"),
    State.RELEASED: mark("ended unpaid"),
    State.REFUND_DUE: mark("your money goes back"),
    State.REFUNDED: mark("refunded"),
    State.VOID_DUE: mark("cancelled, nothing is taken"),
    State.VOIDED: mark("cancelled, nothing was taken"),
    State.REVIEW: mark("a person looks at it"),
}
"""How an order stands, in a few words."""


def orders(shop: Shop, newest: Order, _about: str = "") -> Notice:
    """The links to all orders of the address that the newest of them has."""
    return listing(shop.settings, shop.store.orders.by_email(newest.email, most=MOST + 1))


def listing(settings: Settings, found: Sequence[Order]) -> Notice:
    """The links to these orders, the newest first; to MOST of them."""
    more = _("These are the newest; older ones are not listed.") if len(found) > MOST else ""
    return Notice(
        subject=_("Your orders at %(shop)s", shop=settings.shop_name),
        title=_("Your orders"),
        parts=(
            *paragraphs(
                _(
                    "You asked for the links to the orders that were made with this "
                    "address. Here they are, the newest first."
                ),
                more,
            ),
            Facts(tuple(_row(settings, order) for order in found[:MOST])),
            Button(_("To the shop"), settings.public_url),
            *steps(
                _("Good to know"),
                (
                    _("Whoever has the link to an order can open it, so share it with care."),
                    _(
                        "Was it not you who asked? You need not do anything: only you got this "
                        "mail."
                    ),
                ),
            ),
        ),
    )


def _row(settings: Settings, order: Order) -> tuple[str, str]:
    words = Words(settings, order)
    lines = words.lines()
    goods = [f"{line.quantity} × {line.name}" for line in lines.rows[:MOST_LINES]]
    if hidden := len(lines.rows) - MOST_LINES:
        goods += [_("%(number)s more", number=hidden)] if hidden > 0 else []
    stands = _(STANDS[order.state])
    told = f"{', '.join(goods)}; {lines.total}, {stands}"
    return words.moment(order.created), f"{told}: {links.order(settings, order.id)}"

"""What forms are about: each finds something in this shop that it can change."""

import pyotp
import time_machine

from storefront.domain.orders import Order, State
from storefront.domain.terms import Recipient
from storefront.services import account, choosing, handing, payment_links, restocking, waitlist
from tests.fuzz.opening import OPENING, Opening
from tests.fuzz.stage import PASSWORD, Stage

RATE = 490
"""What sending costs (minor units)."""
OWN_PAGE = {
    "CHECKOUT_UI": "elements",
    "STRIPE_PUBLISHABLE_KEY": "pk_test_x",
    "DELIVERY": "both",
    "DELIVERY_COUNTRIES": "DE,GB",
    "DELIVERY_RATE": f"{RATE / 100:.2f}",
}
"""What the shop goes on with after its first orders: a payment page of its own, and parcels."""
ADA = Recipient("Ada", "1 Way", "", "53111", "Bonn", "", "DE")
ANOTHER = "PXPKEHPDJBSWY3DPPXPKEHPDJBSWY3DP"
"""The secret of a phone that is being set up."""


def prepare(stage: Stage) -> None:
    """Let a shop with an order in each state come to all that its forms are about."""
    shop = stage.shop
    for name in ("ada", "bob", "cyd"):
        waitlist.join(shop, sku="poster-ink", email=f"{name}@example.com")
    for place in shop.store.waitlist.all()[:2]:
        waitlist.confirm(shop, place)
    shop.store.scripts.restock("poster-ink", delta=1, reason="found", who="admin", key="fuzz-0001")
    payment_links.create(shop, sku="zine", units=2, key="fuzz-0002", who="admin")
    paid = [order.id for order in shop.store.orders.walk() if order.state is State.PAID]
    handing.hand_over(shop, paid[0], key="fuzz-0003", who="admin")
    restocking.restock(shop, sku="zine", delta=1, reason="found", who="admin", key="fuzz-0005")
    stage.start_again(**OWN_PAGE)
    _take_payments(stage)
    for order in shop.store.orders.walk():
        if order.state is State.PAID:
            key = shop.store.keys.order(order.id)
            stage.client.hset(key, "mail:confirmed", shop.store.now())
    _ask_for_codes(stage)


def _take_payments(stage: Stage) -> None:
    """Orders on the shop's own page: not chosen yet how, open, to be sent, sent, doubted, too late."""
    shop, stripe = stage.shop, stage.stripe
    news = Opening(shop, stripe, [])
    news.begin("choosing", {"poster-red": 1})
    _choose(news, "fetching", None)
    orders = [_choose(news, visitor, ADA) for visitor in ("parcel", "sent", "doubted")]
    for order in orders:
        assert stripe.pay(order.session)
    news.hear()
    handing.mark_sent(shop, orders[1].id, key="fuzz-0004", who="admin")
    dispute = stripe.dispute(news.order(orders[2].id).payment_intent)
    news.hear()
    stripe.dispute_ends(dispute, "won")  # of which nobody has told the shop
    late = shop.settings.hold_seconds + shop.settings.hold_grace_seconds + 60
    with time_machine.travel(OPENING.timestamp() - late, tick=False):
        _choose(news, "dawdling", ADA)  # nobody has looked after it since


def _choose(news: Opening, visitor: str, to: Recipient | None) -> Order:
    """A zine, sent there or fetched, that is not paid yet."""
    order = news.begin(visitor, {"zine": 1})
    return choosing.choose(news.shop, order, "delivery" if to else "pickup", to).order


def _ask_for_codes(stage: Stage) -> None:
    """The operator signs in with one-time codes, and sets another phone up."""
    kept = stage.shop.store.account
    stage.seed = kept.draft("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    assert account.confirm_codes(stage.shop, one_time_code(stage.seed, -1))
    code = one_time_code(stage.seed, 0)
    stage.operator = stage.cookie("/admin/login", password=PASSWORD, code=code)
    kept.draft(ANOTHER)


def let_the_phone_go(stage: Stage) -> None:
    """Nobody went on with the phone that was being set up, and its ten minutes are over."""
    stage.client.delete(stage.shop.store.keys.account_draft())


def one_time_code(secret: str, steps: int = 1) -> str:
    """The code of the operator's phone on the opening day, or so many half minutes later."""
    return pyotp.TOTP(secret).at(int(OPENING.timestamp()) + 30 * steps)

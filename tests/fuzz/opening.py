"""How a shop came to an order in each state, and to news that it has not heard."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import time_machine

from storefront.domain.catalogue_file import read_catalogue
from storefront.domain.errors import StripeUnreachable
from storefront.domain.orders import Order
from storefront.services import checkout, events, holds, orders
from storefront.services.publishing import publish
from storefront.services.shop import Shop
from tests.fakes.faults import Fault
from tests.fakes.stripe import FakeStripe

OPENING = datetime(2026, 12, 1, 10, tzinfo=UTC)
GOODS = """
[[products]]
slug = "poster"
name = "Poster"
image = "poster.svg"
tags = ["print"]
max_per_order = 4
[[products.variants]]
sku = "poster-red"
options = { colour = "Red" }
price = "25.00"
stock = 40
[[products.variants]]
sku = "poster-ink"
options = { colour = "Ink" }
price = "30.00"
stock = 0

[[products]]
slug = "zine"
name = "Zine"
[[products.variants]]
sku = "zine"
price = "4.50"
stock = 30

[[products]]
slug = "last"
name = "Last"
[[products.variants]]
sku = "last"
price = "99.00"
stock = 1

[[products]]
slug = "later"
name = "Later"
opens_at = 2126-12-01T10:00:00Z
[[products.variants]]
sku = "later"
price = "9.00"
stock = 5
"""


@dataclass
class Opening:
    """The shop's first minutes."""

    shop: Shop
    stripe: FakeStripe
    heard: list[dict[str, Any]]
    """Events whose outcome is stored by now."""

    def fill(self) -> None:
        """An order in each state, and news of several that the shop has not heard."""
        goods = read_catalogue(GOODS, self.shop.settings.shop_currency, ["poster.svg"])
        publish(self.shop, goods, prune=False)
        stripe = self.stripe
        paid = self.begin("paid", {"poster-red": 2})
        stripe.pay(paid.session)
        partly = self.begin("partly", {"zine": 2})
        stripe.pay(partly.session)
        back = self.begin("back", {"zine": 1})
        stripe.pay(back.session)
        disputed = self.begin("disputed", {"zine": 1})
        stripe.pay(disputed.session)
        coming = self.begin("coming", {"zine": 1, "poster-red": 1})
        stripe.pay_later(coming.session)
        late = self.begin("late", {"last": 1})
        stripe.authorize(self.begin("agreed", {"zine": 2}).session)
        lapsed = self.begin("lapsed", {"zine": 1})
        stripe.authorize(lapsed.session)
        self.hear()
        stripe.refund_by_hand(self.order(back.id).payment_intent)
        stripe.dispute(self.order(disputed.id).payment_intent)
        self.hear()
        orders.cancel(self.shop, self.begin("given back", {"poster-red": 1}))
        # Released by a person while Stripe was away, sold to another, paid late: money to go back.
        self._release_by_hand(late)
        other = self.begin("other", {"last": 1})
        stripe.pay(other.session)
        stripe.pay(late.session)
        self.hear()
        self.begin("open", {"poster-red": 1, "zine": 1})
        stripe.fault("create_session", Fault.LOST_REPLY)
        with suppress(StripeUnreachable):
            self.begin("pending", {"zine": 1})
        # From here on nothing of it is heard.
        new = self.begin("new", {"poster-red": 1})
        stripe.pay(new.session)
        stripe.authorize(self.begin("newly agreed", {"zine": 1}).session)
        stripe.cancel_by_hand(self.order(lapsed.id).payment_intent)
        declined = self.begin("declined", {"zine": 3})
        stripe.decline(declined.session)
        ended = self.begin("ended", {"poster-red": 3})
        stripe.decline(ended.session)
        stripe.expire_session(ended.session)
        stripe.money_comes(coming.session)
        fails = self.begin("fails", {"zine": 1})
        stripe.pay_later(fails.session)
        stripe.money_fails(fails.session)
        stripe.refund_by_hand(self.order(partly.id).payment_intent, 400)
        stripe.refund_by_hand(self.order(paid.id).payment_intent, status="pending")
        stripe.dispute(self.order(paid.id).payment_intent)
        broken = stripe.refund_by_hand(self.order(partly.id).payment_intent, 100, status="pending")
        stripe.refund_ends(broken, "failed")

    def order(self, order_id: str) -> Order:
        found = self.shop.store.orders.get(order_id)
        assert found is not None
        return found

    def begin(self, visitor: str, wanted: dict[str, int]) -> Order:
        return checkout.begin(
            self.shop, visitor=visitor, address=visitor, form_token=f"{visitor}-1", wanted=wanted
        ).order

    def hear(self) -> None:
        for event in self.stripe.new_events():
            events.receive(self.shop, *self.stripe.signed(event))
            self.heard.append(event)

    def _release_by_hand(self, order: Order) -> None:
        settings = self.shop.settings
        overdue = settings.hold_seconds + settings.hold_grace_seconds + 121
        self.stripe.down()
        with time_machine.travel(OPENING.timestamp() + overdue, tick=False):
            assert holds.release_by_hand(self.shop, order.id, "operator") == "released"
        self.stripe.up()

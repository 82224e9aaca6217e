"""On our own payment page, how the goods reach the shopper is settled before there is a payment.

It is chosen once. Only then is the order's PaymentIntent made, for the amount that the choice fixed: so
none can ever be paid that has another.
"""

from storefront.domain.door import Door
from storefront.domain.errors import BadInput, ShopClosed
from storefront.domain.orders import Order, Reason, State
from storefront.domain.terms import Recipient, Way
from storefront.services import checkout, links, settlement
from storefront.services.checkout import Started
from storefront.services.shop import Shop
from storefront.storage.answers import Chosen
from storefront.storage.charging import Charged


def asks(shop: Shop, order: Order) -> bool:
    """Whether the shopper is still to choose, and has the time to."""
    in_time = order.deadline > shop.store.now()
    return order.undecided and order.state is State.PENDING and in_time


def choose(shop: Shop, order: Order, way: str, recipient: Recipient | None) -> Started:
    """Keep the choice, and open the payment for what it comes to; the first choice stands.

    ``recipient`` is whom it is sent to, None for a pick-up. Raises BadInput for a way that is not
    offered, StripeError as ``checkout.begin`` does, and ShopClosed while an earlier choice may be lost.
    """
    rate = order.terms.rate(way)
    if rate is None or (recipient is None) != (rate.way is Way.PICKUP):
        raise BadInput("Choose how your order is to reach you.")
    parts = Charged(
        total=order.goods + rate.amount, shipping=rate.amount, way=rate.way, recipient=recipient
    )
    chosen = shop.store.scripts.choose_way(order.id, parts, ask_ms=checkout.ASK_MS)
    if chosen is Chosen.CLOSED:
        raise ShopClosed(Door.RESTARTED)
    order = shop.store.orders.get(order.id) or order
    if chosen is Chosen.TOO_LATE and order.state is State.PENDING:
        settlement.end(shop, order, Reason.EXPIRED)
        order = shop.store.orders.get(order.id) or order
    if order.state is State.PENDING and not order.undecided:
        return checkout.open_payment(shop, order, first=chosen is Chosen.CHOSEN)
    return Started(order, order.url or links.order(shop.settings, order.id))

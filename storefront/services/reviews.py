"""Orders that a person looked at, and which of them may go on."""

import logging

from storefront.domain.orders import Order
from storefront.services.shop import Shop
from storefront.storage.answers import Resumed

log = logging.getLogger(__name__)


def end(shop: Shop, order: Order, who: str) -> tuple[Resumed, str]:
    """Give an order its old state back on a person's word, where nothing is left to decide.

    Stripe is asked first how each dispute ended. Answers the state, or why not: ``money``, ``units`` or
    ``dispute``. Raises StripeError.
    """
    for known in order.disputes:
        shop.store.scripts.record_dispute(order.id, shop.stripe.read_dispute(known.id))
    word, more = shop.store.scripts.end_review(order.id)
    log.info(
        "order %s: review ended by %s: %s %s", order.id, who, word, more, extra={"order": order.id}
    )
    return word, more

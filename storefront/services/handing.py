"""Goods reach their customers: fetched at the counter, or handed to the post."""

import logging
import re
from collections.abc import Mapping

from storefront.domain.orders import Order
from storefront.services import links
from storefront.services.shop import Shop
from storefront.storage.answers import HandAnswer, Handed, TakenBack

MOST_CHARACTERS = 500
ORDER_NUMBER = re.compile(rf"[a-z2-7]{{{links.ID_LENGTH}}}")

log = logging.getLogger(__name__)


def scanned(shop: Shop, text: str) -> str | None:
    """The order whose code was scanned; None when it is no pick-up code of this shop.

    Only the end of the address counts: a code outlives the address of its shop.
    """
    if len(text) > MOST_CHARACTERS:
        return None
    _, found, token = text.strip().rpartition(links.PICKUP)
    return links.open_pickup(shop.settings, token) if found else None


def numbered(shop: Shop, text: str) -> Order | None:
    """The order whose number was typed."""
    number = text.strip().lower()
    return shop.store.orders.get(number) if ORDER_NUMBER.fullmatch(number) else None


def hand_over(
    shop: Shop, order_id: str, *, key: str, who: str, units: Mapping[str, int] | None = None
) -> HandAnswer:
    """Note that a customer has these units of an order, or all that are left; once for each key.

    Each unit is handed over once, however many scanners ask at the same time, and none whose money
    is wanted back.
    """
    answer = shop.store.scripts.hand_over(order_id, key=key, who=who, units=units or {})
    _tell(order_id, answer, who)
    return answer


def mark_sent(shop: Shop, order_id: str, *, key: str, who: str) -> HandAnswer:
    """Note that an order was handed to the post; a minute later its customer is told by mail."""
    answer = shop.store.scripts.hand_over(order_id, key=key, who=who, units={}, sent=True)
    _tell(order_id, answer, who)
    return answer


def take_back(shop: Shop, order_id: str, *, key: str, who: str) -> TakenBack:
    """Note, within a minute, that what the form of this key handed over was not."""
    word = shop.store.scripts.take_back(order_id, key=key, who=who)
    log.info("order %s: hand-over %s by %s", order_id, word, who, extra={"order": order_id})
    return word


def _tell(order_id: str, answer: HandAnswer, who: str) -> None:
    if answer.word is not Handed.UNKNOWN_ORDER:
        log.info("order %s: %s by %s", order_id, answer.word, who, extra={"order": order_id})

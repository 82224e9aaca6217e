"""Bring all that Stripe shows of the shop's goods up to date now, and say what was done."""

from dataclasses import dataclass

from storefront.domain.door import LOST
from storefront.domain.errors import ShopClosed, StripeError, StripeUnreachable
from storefront.services import mirroring, pricing, recovery
from storefront.services.mirroring import ForeignProduct
from storefront.services.shop import Shop


@dataclass(frozen=True, slots=True)
class Synced:
    """What became of one SKU."""

    sku: str
    done: tuple[str, ...]
    """Empty when all was as it should be."""
    problem: str = ""
    """Why it could not be done."""


def sync(shop: Shop) -> list[Synced]:
    """Bring each SKU's product and Price at Stripe to what catalogue and books say.

    One that cannot be done keeps no other from it, unless Stripe does not answer at all: then the rest
    is left to the worker. Raises ShopClosed while the books are lost: what Stripe keeps is then all
    that there is.
    """
    if (door := recovery.stands(shop)) in LOST:
        raise ShopClosed(door)
    found = []
    silent = ""
    for level in shop.store.stock.levels():
        done: list[str] = []
        problem = silent
        try:
            if not silent:
                mirroring.show(shop, level.sku, done.append)
                pricing.keep_price(shop, level.sku, done.append)
        except StripeUnreachable as error:
            problem = silent = f"Stripe could not be asked: {error}"
        except (StripeError, ForeignProduct) as error:
            problem = str(error)
        found.append(Synced(level.sku, tuple(done), problem))
    return found

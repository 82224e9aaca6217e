"""Keep at Stripe what only Redis knows: how many units ever came in, and how many were written off.

Sales can be read from Stripe's sessions, and what is on the shelf follows from the rest; these two
numbers cannot, so each SKU has a product at Stripe whose metadata has them. A shop that lost its
Redis is rebuilt from there.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from storefront.domain.errors import StripeUnreachable
from storefront.domain.products import Catalogue, Level, ProductFact
from storefront.services.shop import Shop
from storefront.storage.snapshot import Snapshot

ROUNDS = 5
"""So often in a row is a SKU written that changes at the same time; then the job comes again."""
LATE_TRIES = 10
"""A job that failed so often waits for some six minutes: what stands in its way does not pass soon."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Mirrored:
    """What Stripe keeps about a SKU, in units."""

    stocked: int
    written_off: int


class ForeignProduct(Exception):
    """The id of a SKU's product is taken by something that is not this shop's: it stays untouched."""


def product_id(shop: Shop, sku: str) -> str:
    """The id of the SKU's product at Stripe; there can never be two of it."""
    return f"{shop.settings.shop_id}_{sku}"


def mirror(shop: Shop, sku: str) -> None:
    """The due job ``mirror``: bring the SKU's product at Stripe to what the books say.

    The product is read before the books, and both again after each write, until they agree. So of two
    that write at once, whoever wrote the older numbers sees it and writes again; and a change that
    comes after the last look has made the job due anew. A product that was deleted at Stripe comes
    back; an archived one stays archived and is kept up. Raises StripeError, and ForeignProduct when
    the product's id is used by something else.
    """
    own = product_id(shop, sku)
    for _ in range(ROUNDS):
        found = shop.stripe.product(own)
        level = shop.store.stock.level(sku)
        if level is None:
            return
        name = _names(shop.store.catalogue.current()).get(sku, sku)
        metadata = _metadata(shop, level)
        key = f"product:{shop.settings.shop_id}:{sku}"
        if found is None:
            shop.stripe.create_product(own, name=name, metadata=metadata, key=key)
            continue
        if _foreign(shop, sku, found):
            raise ForeignProduct(f"{own} at Stripe is not this shop's {sku}")
        if _ours(shop, sku, found) and (found.name, _read(found)) == (name, _kept(level)):
            return
        shop.stripe.update_product(
            own,
            name=name,
            metadata=metadata,
            key=f"{key}:{level.stocked}:{level.written_off}:{level.available}",
        )
    raise StripeUnreachable(f"{sku} changes faster than Stripe can be told")


def mirrored(shop: Shop) -> dict[str, Mirrored]:
    """What Stripe keeps about each SKU of this shop, by SKU. Raises StripeError.

    SKUs that the shop knows are asked for by name, and the account's other products are looked
    through: a SKU that stands neither in the books nor in the catalogue is found unless its product
    was archived. A product whose numbers a person made unreadable is left out, and so is a copy.
    """
    books = [level.sku for level in shop.store.stock.levels()]
    known = sorted({*books, *_names(shop.store.catalogue.current())})
    return _numbers(shop, shop.stripe.active_products()) | _told(shop, known)


def differing(shop: Shop) -> dict[str, Mirrored | None]:
    """SKUs whose numbers at Stripe (None: it has none) are not those of the books, by SKU.

    Whatever is on its way is left out: the job of a SKU that is due, or changes meanwhile, brings it
    there. Raises StripeError.
    """
    before = shop.store.stock.levels()
    jobs = (job.name.partition(":") for job in shop.store.due.jobs())
    due = {sku for kind, _, sku in jobs if kind == "mirror"}
    there = _told(shop, [level.sku for level in before])
    after = {level.sku: _kept(level) for level in shop.store.stock.levels()}
    return {
        level.sku: there.get(level.sku)
        for level in before
        if level.sku not in due
        and _kept(level) == after.get(level.sku)
        and _kept(level) != there.get(level.sku)
    }


def late(snapshot: Snapshot) -> dict[str, int]:
    """SKUs whose numbers Stripe did not take for minutes, with the number of tries."""
    jobs = ((job.partition(":"), snapshot.tries.get(job, 0)) for job in snapshot.due)
    return {sku: tries for (kind, _, sku), tries in jobs if kind == "mirror" and tries > LATE_TRIES}


def mirror_again(shop: Shop) -> list[str]:
    """Make every SKU due whose numbers at Stripe are not those of the books; answers which.

    It finds what no change of stock would: a product that was edited or deleted at Stripe, a write that
    reached Stripe long after it was given up, a shop that is older than its mirror. Both numbers only
    ever grow, so more at Stripe than here may be a restock that Redis lost: that is kept, for a person
    to look at. Raises StripeError.
    """
    again = []
    for sku, there in sorted(differing(shop).items()):
        here = shop.store.stock.level(sku) or Level(sku)
        if there and (there.stocked > here.stocked or there.written_off > here.written_off):
            log.error("Stripe keeps more of %s than the books: %s", sku, there)
            continue
        shop.store.due.schedule(f"mirror:{sku}", shop.store.now())
        again.append(sku)
    return again


def _told(shop: Shop, skus: Sequence[str]) -> dict[str, Mirrored]:
    return _numbers(shop, shop.stripe.products([product_id(shop, sku) for sku in skus]))


def _numbers(shop: Shop, facts: Iterable[ProductFact]) -> dict[str, Mirrored]:
    found = {}
    for fact in facts:
        sku = fact.metadata.get("sku", "")
        numbers = _read(fact)
        if numbers and fact.id == product_id(shop, sku) and _ours(shop, sku, fact):
            found[sku] = numbers
    return found


def _names(catalogue: Catalogue) -> Mapping[str, str]:
    return {v.sku: p.name_of(v) for p, v in catalogue.entries(catalogue.products)}


def _metadata(shop: Shop, level: Level) -> dict[str, str]:
    """``available`` is for people who look at Stripe: it is right when it is written, not later."""
    return {
        "shop": shop.settings.shop_id,
        "sku": level.sku,
        "stocked": str(level.stocked),
        "written_off": str(level.written_off),
        "available": str(level.available),
    }


def _ours(shop: Shop, sku: str, found: ProductFact) -> bool:
    return (found.metadata.get("shop"), found.metadata.get("sku")) == (shop.settings.shop_id, sku)


def _foreign(shop: Shop, sku: str, found: ProductFact) -> bool:
    """Whether a product under the SKU's id says that it is something else's.

    One that says nothing was emptied by hand.
    """
    metadata = {"shop": shop.settings.shop_id, "sku": sku, **found.metadata}
    return (metadata["shop"], metadata["sku"]) != (shop.settings.shop_id, sku)


def _kept(level: Level) -> Mirrored:
    return Mirrored(level.stocked, level.written_off)


def _read(found: ProductFact) -> Mirrored | None:
    stocked, written_off = (found.metadata.get(name, "") for name in ("stocked", "written_off"))
    if not (stocked.isdecimal() and written_off.isdecimal()):
        return None
    return Mirrored(int(stocked), int(written_off))

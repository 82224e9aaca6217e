"""Keep a product at Stripe for each SKU: what it is called and shows, and what only Redis knows of it.

Sales can be read from Stripe's sessions, and what is on the shelf follows from the rest; how many units
ever came in and how many were written off cannot, so the product's metadata has these two numbers. A
shop that lost its Redis is rebuilt from there.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from storefront.domain.errors import StripeUnreachable
from storefront.domain.products import Catalogue, Level
from storefront.domain.sold_at_stripe import ProductFact
from storefront.services import showing
from storefront.services.shop import Shop
from storefront.storage.snapshot import Snapshot

ROUNDS = 5
"""So often in a row is a SKU written that changes at the same time; then the job comes again."""
LATE_TRIES = 10
"""A job that failed so often waits for some six minutes: what stands in its way does not pass soon."""
JOB = "available:all"
"""Looks every minute which products say another number of available units than the books."""
LOOK_MS = 60_000

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
    """The due job ``mirror``, after a change of stock: bring the SKU's product to what the books say.

    The product is read before the books, and both again after each write, until they agree. So of two
    that write at once, whoever wrote the older numbers sees it and writes again; and a change that
    comes after the last look has made the job due anew. A product that was deleted at Stripe comes
    back; an archived one stays archived and is kept up. Its Price is made due where it is not what the
    SKU costs. Raises StripeError, and ForeignProduct when the product's id is used by something else.
    """
    _bring(shop, sku, keep_more=False)


def show(shop: Shop, sku: str, say: Callable[[str], None] = lambda _: None) -> None:
    """The due job ``show``, as ``mirror`` where no unit came in or was written off.

    Where Stripe has more than the books these two numbers stay: they may be the only trace of a restock
    that Redis lost. ``say`` hears what was done.
    """
    _bring(shop, sku, keep_more=True, say=say)


def _bring(
    shop: Shop, sku: str, *, keep_more: bool, say: Callable[[str], None] = lambda _: None
) -> None:
    own = product_id(shop, sku)
    for turn in range(ROUNDS):
        found = shop.stripe.product(own)
        level = shop.store.stock.level(sku)
        if level is None:
            return
        there = _read(found) if found else None
        if keep_more and there and _more(there, level):
            log.error("Stripe keeps more of %s than the books: %s", sku, there)
            level = replace(level, stocked=there.stocked, written_off=there.written_off)
        wanted = showing.shown(shop, level)
        key = f"product:{shop.settings.shop_id}:{sku}"
        if found is None:
            shop.stripe.create_product(own, wanted.created(), key=key)
            say("product created")
            continue
        if foreign(shop, sku, found):
            raise ForeignProduct(f"{own} at Stripe is not this shop's {sku}")
        same = _ours(shop, sku, found) and (found.name, _read(found)) == (wanted.name, _kept(level))
        # What changes with every sale, and texts that Stripe may tidy, are worth one write a time.
        if same and (turn or wanted.agrees(found)):
            _note_shown(shop, sku, found)
            _look_at_price(shop, sku, found)
            return
        shop.stripe.update_product(
            own,
            wanted.updated(found),
            key=f"{key}:{level.stocked}:{level.written_off}:{level.available}",
        )
        say("product updated")
    raise StripeUnreachable(f"{sku} changes faster than Stripe can be told")


def mirror_available(shop: Shop, _all: str) -> int:
    """The due job ``available``: make each SKU due whose available units are not what Stripe shows.

    At most one write in a minute for a SKU, however many are sold. Answers when to look again.
    """
    shown = shop.store.prices.shown()
    for level in shop.store.stock.levels():
        if shown.get(level.sku) != level.available:
            shop.store.due.schedule(f"show:{level.sku}", shop.store.now())
    return LOOK_MS


def _note_shown(shop: Shop, sku: str, found: ProductFact) -> None:
    told = found.metadata.get("available", "")
    if told.isdecimal():
        shop.store.prices.note_shown(sku, int(told))


def _look_at_price(shop: Shop, sku: str, found: ProductFact) -> None:
    """Make the SKU's Price due where it, or the product's default at Stripe, is not the right one."""
    known = shop.store.prices.known().get(sku)
    entry = showing.entry(shop.store.catalogue.current(), sku)
    price = entry[1].price if entry else None
    if price is None or not found.active:
        right = known is None
    else:
        currency = shop.settings.shop_currency
        right = known is not None and known.stands_for(price, currency)
        right = right and known is not None and known.id == found.default_price
    if not right:
        shop.store.due.schedule(f"price:{sku}", shop.store.now())


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
    to look at. What else the products show is made due too, and so are their Prices. Raises
    StripeError.
    """
    again = []
    _show_again(shop)
    for sku, there in sorted(differing(shop).items()):
        here = shop.store.stock.level(sku) or Level(sku)
        if there and _more(there, here):
            log.error("Stripe keeps more of %s than the books: %s", sku, there)
            continue
        shop.store.due.schedule(f"mirror:{sku}", shop.store.now())
        again.append(sku)
    return again


def _show_again(shop: Shop) -> None:
    """Make each SKU due whose product shows something else, or has another Price."""
    levels = shop.store.stock.levels()
    facts = {
        fact.id: fact for fact in shop.stripe.products([product_id(shop, x.sku) for x in levels])
    }
    for level in levels:
        found = facts.get(product_id(shop, level.sku))
        if found and _ours(shop, level.sku, found) and _read(found) == _kept(level):
            _look_at_price(shop, level.sku, found)
            if not showing.shown(shop, level).agrees(found):
                shop.store.due.schedule(f"show:{level.sku}", shop.store.now())


def _more(there: Mirrored, here: Level) -> bool:
    return there.stocked > here.stocked or there.written_off > here.written_off


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


def _ours(shop: Shop, sku: str, found: ProductFact) -> bool:
    return (found.metadata.get("shop"), found.metadata.get("sku")) == (shop.settings.shop_id, sku)


def foreign(shop: Shop, sku: str, found: ProductFact) -> bool:
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

"""Put a catalogue file's products on the shelf."""

import json
import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace

from storefront.domain.account_catalogue import AccountCatalogue, read_account
from storefront.domain.catalogue_file import CatalogueFile, CatalogueMistakes
from storefront.domain.door import Door
from storefront.domain.errors import StripeUnreachable
from storefront.domain.products import Catalogue, Product, Variant
from storefront.services import payment_links, recovery, sessions, showing
from storefront.services.reconciliation import AHEAD_SECONDS
from storefront.services.shop import Shop

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Published:
    """What an import did: numbers of products, and the first stock of new SKUs."""

    created: int
    updated: int
    pruned: int
    stocked: Mapping[str, int]
    rebuild: bool = False
    """The books were lost, so the shop stays closed, and no stock was counted, until a rebuild."""


def publish(
    shop: Shop, catalogue: CatalogueFile, prune: bool = False, *, who: str = "import"
) -> Published:
    """Create or update the file's products, in the file's order; running holds keep their prices.

    A SKU's stock counts only the first time that it is seen. With ``prune``, products that are not in
    the file are taken off the shelf. Raises CatalogueMistakes, and nothing is changed.

    Into an empty Redis: when Stripe knows sessions or links of this shop, its books were lost, so the
    stock is only remembered. Raises StripeError when Stripe cannot be asked, and nothing is changed.
    """
    before = shop.store.catalogue.read()
    old = {product.slug: product for product in before.products}
    new = {product.slug: product for product in catalogue.products}
    staying = [product for slug, product in old.items() if slug not in new]
    _check_skus(new, () if prune else tuple(p for p in staying if p.published))
    _check_alternatives(new, old)

    rows = {
        slug: replace(product, position=position, retired=_retired(product, old.get(slug), new))
        for position, (slug, product) in enumerate(new.items())
    }
    pruned = [product for product in staying if product.published] if prune else []
    rows |= {product.slug: replace(product, published=False) for product in pruned}
    lost = books_were_lost(shop)
    fresh = (
        shop.store.scripts.publish_catalogue(
            {slug: json.dumps(product.to_json()) for slug, product in rows.items()},
            dict(catalogue.stock),
            version=secrets.token_hex(8),
            who=who,
            lost=lost,
        )
        or []
    )
    created = sum(slug not in old for slug in new)
    log.info("imported %d products, %d new SKUs", len(new), len(fresh))
    return Published(
        created,
        len(new) - created,
        len(pruned),
        {sku: catalogue.stock[sku] for sku in sorted(fresh)},
        recovery.stands(shop) is Door.REBUILD,
    )


def from_stripe(shop: Shop) -> AccountCatalogue:
    """The catalogue in the account's active products and prices, to be published.

    Raises CatalogueMistakes, and StripeError.
    """
    folder = shop.settings.pictures
    return read_account(
        shop.stripe.active_products(),
        shop.stripe.active_prices(),
        shop_id=shop.settings.shop_id,
        currency=shop.settings.shop_currency,
        known=shop.store.catalogue.read(),
        files={path.name for path in folder.iterdir()} if folder.exists() else set(),
        pictures=showing.address_of_pictures(shop.settings),
    )


def books_were_lost(shop: Shop) -> bool:
    """Whether this shop is empty, and Stripe knows of its sales. Raises StripeError."""
    return recovery.stands(shop) is Door.EMPTY and _known_at_stripe(shop)


def _known_at_stripe(shop: Shop) -> bool:
    """Whether Stripe knows any session or payment link of this shop. Raises StripeError."""
    latest = shop.store.now() // 1000 + AHEAD_SECONDS
    try:
        if payment_links.of_this_shop(shop):
            return True
        return any(True for _ in sessions.between(shop, 0, latest))
    except StripeUnreachable:
        if shop.settings.standin:
            return False  # the built-in one runs beside the shop only, and there nothing is real
        raise


def _check_skus(new: Mapping[str, Product], staying: tuple[Product, ...]) -> None:
    owner = {v.sku: p.slug for p, v in Catalogue.entries(staying)}
    mistakes = [
        f"SKU {variant.sku} of {product.slug} belongs to {owner[variant.sku]}, which stays on the "
        "shelf: put that product into the file without it, or use --prune."
        for product, variant in Catalogue.entries(tuple(new.values()))
        if variant.sku in owner
    ]
    if mistakes:
        raise CatalogueMistakes(mistakes)


def _check_alternatives(new: Mapping[str, Product], old: Mapping[str, Product]) -> None:
    mistakes = [
        f"Product {product.slug}: its alternative {slug!r} is no product of this shop."
        for product in new.values()
        for slug in product.alternatives
        if slug not in new and slug not in old
    ]
    if mistakes:
        raise CatalogueMistakes(mistakes)


def _retired(
    product: Product, before: Product | None, new: Mapping[str, Product]
) -> tuple[Variant, ...]:
    """The variants that the product had and that the file sells nowhere: orders name their SKUs."""
    sold = {variant.sku for _, variant in Catalogue.entries(tuple(new.values()))}
    had = (*before.variants, *before.retired) if before else ()
    return (*product.retired, *(variant for variant in had if variant.sku not in sold))

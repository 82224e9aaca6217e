"""A catalogue out of a Stripe account's products and prices, with what was left out and why."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from storefront.domain.catalogue_file import CatalogueFile, CatalogueMistakes, read_tables
from storefront.domain.money import to_decimal
from storefront.domain.product_form import slug_of
from storefront.domain.product_tables import LONGEST_CODE, SKU
from storefront.domain.products import Catalogue, Product
from storefront.domain.sold_at_stripe import PriceFact, ProductFact


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something of the account that the catalogue does not have: its id and name there, and why."""

    id: str
    name: str
    why: str


@dataclass(frozen=True, slots=True)
class AccountCatalogue:
    """What an account's products and prices make of a catalogue."""

    file: CatalogueFile
    left_out: tuple[LeftOut, ...]


def read_account(
    products: Iterable[ProductFact],
    prices: Iterable[PriceFact],
    *,
    shop_id: str,
    currency: str,
    known: Catalogue,
    files: Collection[str],
    pictures: str,
) -> AccountCatalogue:
    """The catalogue in an account's active products and prices, both as Stripe lists them.

    What this shop once wrote there keeps its SKU and its place; anything else becomes a product of its
    own, with a variant for each price. ``known`` is the shop's catalogue by now, which keeps what
    Stripe does not have (tags, pictures); ``files`` are the names of its pictures and ``pictures``
    begins their addresses. Raises CatalogueMistakes with all that is wrong.
    """
    reader = _Reader(shop_id, currency, known, files, pictures)
    for price in prices:
        reader.prices[price.product].append(price)
    ours, others = reader.sorted(list(products)[::-1])  # the oldest first
    tables = [*reader.own(ours), *filter(None, map(reader.foreign, others))]
    if not tables:
        why = "; ".join(f"{one.id}: {one.why}" for one in reader.left_out)
        raise CatalogueMistakes(
            [f"The account has nothing that this shop can sell{f' ({why})' if why else ''}."]
        )
    place = {product.slug: product.position for product in known.products}
    tables.sort(key=lambda table: place.get(table["slug"], len(place)))
    file = read_tables({"products": tables}, currency, files)
    return AccountCatalogue(file, tuple(reader.left_out))


@dataclass
class _Reader:
    shop_id: str
    currency: str
    known: Catalogue
    files: Collection[str]
    pictures: str
    prices: defaultdict[str, list[PriceFact]] = field(default_factory=lambda: defaultdict(list))
    """By product, the newest first."""
    left_out: list[LeftOut] = field(default_factory=list)
    skus: set[str] = field(default_factory=set)
    slugs: set[str] = field(default_factory=set)

    def leave_out(self, fact: ProductFact | PriceFact, name: str, why: str) -> None:
        self.left_out.append(LeftOut(fact.id, name, why))

    def sorted(
        self, products: Sequence[ProductFact]
    ) -> tuple[dict[str, ProductFact], list[ProductFact]]:
        """This shop's own products by SKU, and those of nobody."""
        ours: dict[str, ProductFact] = {}
        others = []
        for product in products:
            shop, sku = (product.metadata.get(name, "") for name in ("shop", "sku"))
            if shop not in {"", self.shop_id}:
                self.leave_out(product, product.name, f"it belongs to the shop {shop}")
            elif shop and sku:
                twin = ours.get(sku)
                mine = f"{shop}_{sku}" == product.id
                if twin is None or mine:
                    ours[sku] = product
                if twin is not None:
                    loser = twin if mine else product
                    self.leave_out(loser, loser.name, f"another product is that of SKU {sku}")
            else:
                others.append(product)
        return ours, others

    def own(self, ours: Mapping[str, ProductFact]) -> Iterable[dict[str, Any]]:
        """Tables of what this shop once wrote there: variants with one slug are one product."""
        groups: defaultdict[str, list[tuple[str, ProductFact]]] = defaultdict(list)
        for sku, fact in ours.items():
            before = self._before([sku])
            slug = fact.metadata.get("slug") or (before.slug if before else slug_of(sku))
            groups[slug].append((sku, fact))
        for slug, members in groups.items():
            variants = []
            for sku, fact in members:
                self.skus.add(sku)
                price = self._price(fact, sku)
                if price is None:
                    why = f"it has no active price in {self.currency.upper()} that is paid once"
                    self.leave_out(fact, fact.name, why)
                    continue
                variants.append(self._variant(sku, price, _stock(fact.metadata), _options(fact)))
            if variants:
                self.slugs.add(slug)
                first = members[0][1]
                title = first.metadata.get("title") or first.name
                yield self._table(slug, title, first, variants)

    def foreign(self, fact: ProductFact) -> dict[str, Any] | None:
        """The table of a product that somebody made at Stripe; None when nothing of it can be sold."""
        sold = [price for price in reversed(self.prices[fact.id]) if self._sellable(fact, price)]
        variants: dict[str, dict[str, Any]] = {}
        for price in sold:
            sku = self._sku(fact, price, alone=len(sold) == 1)
            label = price.nickname.strip() or _text(price, self.currency)
            if sku in self.skus:
                self.leave_out(price, fact.name, f"SKU {sku} is in the shop already")
            elif label in variants:
                why = (
                    f"nobody could tell it from the other price called {label}: give it a nickname"
                )
                self.leave_out(price, fact.name, why)
            else:
                self.skus.add(sku)
                metadata = price.metadata if len(sold) > 1 else {**fact.metadata, **price.metadata}
                options = {"Choice": label} if len(sold) > 1 else {}
                variants[label] = self._variant(sku, price, _stock(metadata), options)
        if not variants:
            if not self.prices[fact.id]:
                self.leave_out(fact, fact.name, "it has no active price")
            return None
        slug = self._free_slug(fact, [variant["sku"] for variant in variants.values()])
        table = self._table(slug, fact.name, fact, list(variants.values()))
        if fact.images and "image" not in table:
            self.leave_out(fact, fact.name, "only its picture: those come with a catalogue file")
        return table

    def _sellable(self, fact: ProductFact, price: PriceFact) -> bool:
        why = ""
        if price.currency != self.currency:
            why = (
                f"it is in {price.currency.upper()}, and the shop sells in {self.currency.upper()}"
            )
        elif not price.once:
            why = "it is paid again and again"
        elif not price.unit_amount:
            why = "it has no fixed amount" if price.unit_amount is None else "it costs nothing"
        if why:
            self.leave_out(price, fact.name, why)
        return not why

    def _price(self, fact: ProductFact, sku: str) -> PriceFact | None:
        """What a SKU of ours costs: the product's default, else our newest price, else the newest."""
        found = [
            price
            for price in self.prices[fact.id]
            if price.currency == self.currency and price.once and price.unit_amount
        ]
        found.sort(
            key=lambda p: (p.id != fact.default_price, p.metadata.get("sku") != sku, -p.created)
        )
        return found[0] if found else None

    def _sku(self, fact: ProductFact, price: PriceFact, *, alone: bool) -> str:
        named = (price.metadata.get("sku"), fact.metadata.get("sku") if alone else "")
        fit = SKU.fullmatch(price.lookup_key) and len(price.lookup_key) <= LONGEST_CODE
        return next(filter(None, named), price.lookup_key if fit else price.id)

    def _variant(
        self, sku: str, price: PriceFact, stock: int, options: Mapping[str, str]
    ) -> dict[str, Any]:
        text = _text(price, self.currency)
        return {"sku": sku, "price": text, "stock": stock, "options": dict(options)}

    def _table(
        self, slug: str, name: str, fact: ProductFact, variants: list[dict[str, Any]]
    ) -> dict[str, Any]:
        before = self._before([variant["sku"] for variant in variants])
        ours = [one for one in fact.images if one.startswith(self.pictures)]
        image = unquote(ours[0].removeprefix(self.pictures)) if ours else ""
        image = image if image in self.files else before.image if before else ""
        opens_at = before.opens_at if before else _whole(fact.metadata.get("opens_at"))
        limit = before.max_per_order if before else _whole(fact.metadata.get("max_per_order"))
        table: dict[str, Any] = {
            "slug": slug,
            "name": name,
            "description": fact.description,
            "tags": list(before.tags) if before else [],
            "delivery": before.delivery if before else True,
            "alternatives": list(before.alternatives) if before else [],
            "variants": variants,
        }
        if image in self.files:
            table["image"] = image
        if opens_at:
            table["opens_at"] = datetime.fromtimestamp(opens_at / 1000, UTC)
        if limit:
            table["max_per_order"] = limit
        return table

    def _before(self, skus: Collection[str]) -> Product | None:
        """The product that has one of these SKUs in the shop by now."""
        pairs = self.known.entries(self.known.products)
        return next((product for product, variant in pairs if variant.sku in skus), None)

    def _free_slug(self, fact: ProductFact, skus: Collection[str]) -> str:
        before = self._before(skus)
        if before:
            slug = before.slug
        else:
            slug = fact.metadata.get("slug") or slug_of(fact.name) or slug_of(fact.id)
            if slug in self.slugs | {product.slug for product in self.known.products}:
                slug = (
                    f"{slug[: LONGEST_CODE // 2].rstrip('-')}-{slug_of(fact.id)[:31].rstrip('-')}"
                )
        self.slugs.add(slug)
        return slug


def _text(price: PriceFact, currency: str) -> str:
    return format(to_decimal(price.unit_amount or 0, currency), "f")


def _options(fact: ProductFact) -> dict[str, str]:
    try:
        found = json.loads(fact.metadata.get("options") or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _stock(metadata: Mapping[str, str]) -> int:
    """What a SKU starts with that the shop never saw: what came in, less what was written off."""
    came, gone = (_whole(metadata.get(name)) or 0 for name in ("stocked", "written_off"))
    return max(0, came - gone)


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 15 else None

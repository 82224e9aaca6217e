"""What a payment may add to the price of the goods or take off it, and where the goods go.

An order keeps its terms as they were when its units were held; a payment is compared with them.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Way(StrEnum):
    """How the goods reach the customer."""

    PICKUP = "pickup"
    DELIVERY = "delivery"


@dataclass(frozen=True, slots=True)
class Rate:
    """One way that the shopper may choose, and what it costs (minor units)."""

    way: Way
    amount: int


@dataclass(frozen=True, slots=True, repr=False)
class Recipient:
    """Whom the goods are sent to. Personal, so no log can show it."""

    name: str
    line1: str
    line2: str = ""
    postal_code: str = ""
    city: str = ""
    state: str = ""
    country: str = ""
    """Two letters (ISO 3166)."""

    @property
    def lines(self) -> tuple[str, ...]:
        """As on a parcel, without the country, whose name depends on the reader's language."""
        town = " ".join(part for part in (self.postal_code, self.city) if part)
        parts = (self.name, self.line1, self.line2, town, self.state)
        return tuple(text for part in parts if (text := " ".join(part.split())))

    def to_json(self) -> str:
        """As it is stored with an order."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Recipient | None":
        """What ``to_json`` wrote; None for an empty text."""
        return cls(**json.loads(text)) if text else None


@dataclass(frozen=True, slots=True)
class Terms:
    """What may come on top of an order's goods."""

    rates: tuple[Rate, ...] = ()
    """The ways to choose from, in the order in which they are offered; none: to be picked up."""
    countries: tuple[str, ...] = ()
    """Where it may be sent."""
    tax: bool = False
    """Stripe works out the tax."""
    codes: bool = False
    """The shopper may enter a promotion code."""

    @property
    def plain(self) -> bool:
        """Whether the goods' price is all that can ever be charged."""
        return not (self.rates or self.tax or self.codes)

    def rate(self, way: str) -> Rate | None:
        """What this way costs; None when it is not offered."""
        return next((rate for rate in self.rates if rate.way == way), None)

    @property
    def only(self) -> Rate | None:
        """The way that it is anyhow; None where there is a choice, or nothing to choose."""
        return self.rates[0] if len(self.rates) == 1 else None

    def to_json(self) -> str:
        """As it is stored with an order; an empty text when the terms are plain."""
        return "" if self.plain else json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Terms":
        """What ``to_json`` wrote."""
        if not text:
            return PLAIN
        found: Mapping[str, Any] = json.loads(text)
        return cls(
            rates=tuple(Rate(Way(one["way"]), int(one["amount"])) for one in found["rates"]),
            countries=tuple(found["countries"]),
            tax=bool(found["tax"]),
            codes=bool(found["codes"]),
        )


PLAIN = Terms()
"""Picked up, at the price that the goods have."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a session's total is made of, in minor units, as Stripe told it."""

    goods: int
    shipping: int = 0
    tax: int = 0
    """Some of the goods' and the delivery's price where prices include tax, else on top of it."""
    discount: int = 0
    rate: int | None = None
    """Which of the session's shipping options was chosen, counted from 0."""

    @property
    def untaxed(self) -> int:
        """The total before tax that comes on top."""
        return self.goods - self.discount + self.shipping


def way_of(terms: Terms, parts: Parts) -> Way | None:
    """The way that was chosen; None where there was nothing to choose, or Stripe does not say."""
    if parts.rate is None or parts.rate >= len(terms.rates):
        return None
    return terms.rates[parts.rate].way


def wrong_part(terms: Terms, parts: Parts, total: int, currency: str) -> str:
    """Which part of a total (minor units) cannot be by these terms; an empty text when all can."""
    taxed = {0, parts.tax} if terms.tax else {0}
    if parts.discount and not terms.codes:
        return f"a discount of {parts.discount} {currency}, which was not offered"
    if parts.discount > parts.goods:
        return f"a discount of {parts.discount} {currency} on goods of {parts.goods} {currency}"
    if parts.tax and not terms.tax:
        return f"a tax of {parts.tax} {currency}, which was not to be asked for"
    if not _offered(terms, parts):
        return f"a delivery of {parts.shipping} {currency}, which was not offered"
    if total - parts.untaxed not in taxed:
        return f"paid {total} {currency}, held for {parts.untaxed} {currency}"
    return ""


def _offered(terms: Terms, parts: Parts) -> bool:
    if not terms.rates:
        return parts.shipping == 0
    way = way_of(terms, parts)
    rate = terms.rate(way) if way else None
    return rate is not None and rate.amount == parts.shipping

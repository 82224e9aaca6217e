"""An order as its Checkout Sessions at Stripe tell it, for when the shop's own record is gone.

Each session carries in its metadata what was held, at which prices and until when: written here, and
read back here.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from storefront.domain.orders import Line, Order, Plan, Reason, Refund, basket_of, total
from storefront.domain.payments import Payment
from storefront.domain.terms import PLAIN, Parts, Rate, Recipient, Terms, Way, way_of

METADATA_LENGTH = 490
"""Stripe takes 500 characters in one metadata value."""
PIECE = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)=([1-9][0-9]{0,8})(?:@([0-9]{1,12}))?", re.ASCII)
"""``sku=quantity@unit_amount``; earlier versions wrote no amount."""
RATE = re.compile(r"(pickup|delivery)=([0-9]{1,8})", re.ASCII)
"""A way in which the goods may reach the customer, and what it costs (minor units)."""
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
"""An order's id; it stands in names of keys and jobs, which are cut at their colons."""
MILLISECONDS = re.compile(r"[0-9]{13}", re.ASCII)

Describe = Callable[[str], Line | None]
"""What the catalogue says of a SKU by now: a line of one unit."""


class Unreadable(Exception):
    """The sessions do not say what was bought, so a person must look. The text says why."""


@dataclass(frozen=True, slots=True)
class Lost:
    """An order of which only Stripe knows. Times are milliseconds unless they say otherwise."""

    order: str
    created: int
    lines: tuple[Line, ...]
    currency: str
    deadline: int
    expires_at: int
    """Seconds."""
    sessions: tuple[str, ...]
    """Its own first."""
    url: str = ""
    payment_intent: str = ""
    """Of a payment that failed."""
    email: str = ""
    strays: tuple[str, ...] = ()
    """Those of its sessions that must be ended."""
    payments: Mapping[str, int] = field(default_factory=dict)
    """Those whose money went back in full, in minor units by PaymentIntent."""
    refunds: tuple[Refund, ...] = ()
    """Of these payments."""
    plans: tuple[Plan, ...] = ()
    """Refunds that the operator wanted, each made by now."""
    gone: Mapping[str, int] = field(default_factory=dict)
    """Units by SKU that went back by them."""
    terms: Terms = PLAIN
    """Without the countries: its session was made long ago."""
    way: str = ""
    """How the goods reach the customer, where that was settled."""
    recipient: Recipient | None = field(default=None, repr=False)
    parts: Parts | None = None
    """What its own session's total is made of, where its shopper has finished."""
    charged: int | None = None
    """That total, in minor units."""

    @property
    def goods(self) -> int:
        """What the lines cost together, in minor units."""
        return total(self.lines)

    @property
    def shipping(self) -> int:
        """Minor units: what was paid for the delivery, or is to be paid for sure."""
        if self.parts:
            return self.parts.shipping
        rate = self.terms.rate(self.way) or self.terms.only
        return rate.amount if rate else 0

    @property
    def amount(self) -> int:
        """What was charged in total, or is to be; in minor units."""
        return self.charged if self.charged is not None else self.goods + self.shipping

    def reason_of(self, payment: str) -> str:
        """Why the shop sent a payment back; empty when somebody else did."""
        reasons = (r.reason for r in self.refunds if r.payment_intent == payment and r.reason)
        return next((reason for reason in reasons if reason != Reason.OPERATOR), "")

    @property
    def basket(self) -> str:
        """The lines' SKUs and quantities, as the books write them."""
        return basket_of({line.sku: line.quantity for line in self.lines})


def write(order: Order) -> dict[str, str]:
    """What a session's metadata says of its order, in as many values as its length needs."""
    parts: list[str] = []
    for line in order.lines:
        piece = f"{line.sku}={line.quantity}@{line.unit_amount}"
        if parts and len(parts[-1]) + len(piece) < METADATA_LENGTH:
            parts[-1] += f",{piece}"
        else:
            parts.append(piece)
    return {
        "held_at": str(order.created),
        "held_until": str(order.deadline),
        **{f"lines{i or ''}": part for i, part in enumerate(parts)},
        **_terms(order),
    }


def _terms(order: Order) -> dict[str, str]:
    """What may come on top of the goods; nothing for an order of which nothing ever can."""
    terms = order.terms
    written = {
        "rates": ",".join(f"{rate.way}={rate.amount}" for rate in terms.rates),
        "extras": ",".join(name for name, on in (("tax", terms.tax), ("codes", terms.codes)) if on),
        "way": order.way,
    }
    return {name: text for name, text in written.items() if text}


def read(sessions: Sequence[Payment], describe: Describe) -> Lost:
    """The order that these sessions are about, its own first. Raises Unreadable."""
    own = sessions[0]
    if not NAME.fullmatch(own.order):
        raise Unreadable(f"session {own.session} names no order of ours")
    created = _milliseconds(own, "held_at", own.created * 1000)
    terms = read_terms(own)
    done = own.session_status == "complete"
    way = own.metadata.get("way", "") or (way_of(terms, own.parts) if own.parts and done else "")
    return Lost(
        order=own.order,
        created=created,
        lines=_lines(own, describe),
        currency=own.currency,
        deadline=_milliseconds(own, "held_until", own.expires_at * 1000 or created),
        expires_at=own.expires_at or own.created,
        sessions=tuple(dict.fromkeys(session.session for session in sessions)),
        url=own.url,
        email=next((session.email for session in sessions if session.email), ""),
        terms=terms,
        way=way or (terms.only.way if terms.only else ""),
        recipient=own.recipient if way == Way.DELIVERY and (done or own.parts is None) else None,
        parts=own.parts if done and not terms.plain else None,
        charged=own.amount if own.parts and done and not terms.plain else None,
    )


def names_terms(session: Payment) -> bool:
    """Whether ``write`` wrote terms: something may come on top of the goods."""
    return bool(session.metadata.keys() & {"rates", "extras"})


def read_terms(session: Payment) -> Terms:
    """What ``write`` wrote of the terms. Raises Unreadable when it was edited since."""
    written = session.metadata.get("rates", "")
    pairs = [RATE.fullmatch(pair) for pair in written.split(",")] if written else []
    found = [match.groups() for match in pairs if match]
    if len(found) < len(pairs):
        raise Unreadable(f"session {session.session} does not say what its delivery cost")
    extras = session.metadata.get("extras", "").split(",")
    return Terms(
        rates=tuple(Rate(Way(way), int(amount)) for way, amount in found),
        tax="tax" in extras,
        codes="codes" in extras,
    )


def _milliseconds(session: Payment, name: str, otherwise: int) -> int:
    written = session.metadata.get(name, "")
    return int(written) if MILLISECONDS.fullmatch(written) else otherwise


def _lines(session: Payment, describe: Describe) -> tuple[Line, ...]:
    pieces = list(_pieces(session.metadata))
    matches = [PIECE.fullmatch(piece) for piece in pieces]
    found = [match.groups() for match in matches if match]
    if not found or len(found) < len(pieces) or len({sku for sku, _, _ in found}) < len(found):
        raise Unreadable(f"session {session.session} does not say what was bought")
    lines = tuple(_line(describe, sku, int(number), price) for sku, number, price in found)
    if any(price is None for _, _, price in found) and total(lines) != (
        session.parts.goods if session.parts else session.amount
    ):
        raise Unreadable(f"session {session.session} does not say at which prices was bought")
    return lines


def _pieces(metadata: Mapping[str, str]) -> Iterable[str]:
    number = 0
    while part := metadata.get(f"lines{number or ''}"):
        yield from part.split(",")
        number += 1


def _line(describe: Describe, sku: str, quantity: int, price: str | None) -> Line:
    """A line with the names of today; a SKU that is gone goes by its own name."""
    known = describe(sku)
    if price is None and known is None:
        raise Unreadable(f"nobody knows the price of {sku} any more")
    return Line(
        sku=sku,
        quantity=quantity,
        unit_amount=int(price) if price is not None else known.unit_amount if known else 0,
        name=known.name if known else sku,
        slug=known.slug if known else "",
        image=known.image if known else "",
    )

"""A refund that the operator wants, as its metadata at Stripe tells it: for when the books are lost."""

import re
from collections.abc import Iterable, Mapping

from storefront.domain.orders import Order, Plan, Reason
from storefront.domain.payments import RefundFact

METADATA_LENGTH = 490
"""Stripe takes 500 characters in one metadata value."""
PIECE = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)=([1-9][0-9]{0,8})", re.ASCII)
KEY = re.compile(r"[A-Za-z0-9_-]{8,128}", re.ASCII)
PLACES = frozenset({"available", "written_off", "sold"})
NOTE_LENGTH = 200


def write(shop_id: str, order: Order, plan: Plan) -> dict[str, str]:
    """What a planned refund's metadata says, in as many values as its length needs."""
    parts: list[str] = []
    for sku, number in sorted(plan.units.items()):
        piece = f"{sku}={number}"
        if parts and len(parts[-1]) + len(piece) < METADATA_LENGTH:
            parts[-1] += f",{piece}"
        else:
            parts.append(piece)
    return {
        "order": order.id,
        "shop": shop_id,
        "reason": str(Reason.OPERATOR),
        "plan": plan.key,
        "to": plan.to,
        "note": plan.reason,
        **{f"units{i or ''}": part for i, part in enumerate(parts)},
    }


def read(fact: RefundFact, shop_id: str, order_id: str) -> Plan | None:
    """The plan that a refund was made for; None when it was made otherwise.

    Metadata can be edited at Stripe: what no plan can say counts for nothing.
    """
    key, to = fact.metadata.get("plan", ""), fact.metadata.get("to", "")
    ours = (fact.shop, fact.order) == (shop_id, order_id)
    if not ours or not KEY.fullmatch(key) or to not in PLACES:
        return None
    matches = [PIECE.fullmatch(piece) for piece in _pieces(fact.metadata)]
    return Plan(
        key=key,
        payment_intent=fact.payment_intent,
        amount=fact.amount,
        units={match[1]: int(match[2]) for match in matches if match},
        to=to,
        reason=fact.metadata.get("note", "")[:NOTE_LENGTH],
        refund=fact.id,
    )


def gone(plans: Iterable[Plan], bought: Mapping[str, int]) -> dict[str, int]:
    """Units by SKU that went back by these refunds, of those that were bought."""
    found: dict[str, int] = {}
    for plan in plans:
        if plan.to != "sold":
            for sku, number in plan.units.items():
                found[sku] = min(found.get(sku, 0) + number, bought.get(sku, 0))
    return {sku: number for sku, number in found.items() if number}


def _pieces(metadata: Mapping[str, str]) -> Iterable[str]:
    number = 0
    while part := metadata.get(f"units{number or ''}"):
        yield from part.split(",")
        number += 1

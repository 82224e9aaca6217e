"""What comes on top of the goods in some towns: a delivery, tax, and what a promotion code takes off."""

from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any

from storefront.delivering import Delivering
from storefront.domain.orders import GOODS
from storefront.domain.terms import Recipient
from tests.simulation.truth import Broken

if TYPE_CHECKING:
    from tests.fakes.stripe import FakeStripe
    from tests.simulation.simulation import Simulation

CHANCE = 0.5
"""Of a town."""
RATE = 490
FREE_FROM = 10_000
ADA = Recipient("Ada Lovelace", "12 St James's Square", "", "SW1Y 4JH", "London", "", "GB")


def drawn(random: Random, what: str = "", chance: float = CHANCE) -> bool:
    """Whether a town has them, without a draw that would change what else happens in it.

    ``what`` makes it another question than any before it.
    """
    return Random(what + str(random.getstate()[1])).random() < chance


def rate(goods: int) -> int:
    """What sending goods of this price costs."""
    return 0 if goods >= FREE_FROM else RATE


def sent(before: Delivering) -> Delivering:
    """What a town with a payment page of its own offers: the shopper chooses before paying."""
    return replace(
        before,
        delivery="both",
        delivery_countries=("GB",),
        delivery_rate=RATE,
        delivery_free_from=FREE_FROM,
    )


def offered(before: Delivering) -> Delivering:
    """What such a town offers: the shopper chooses, above a sum it is free, and codes count."""
    return replace(sent(before), automatic_tax=True, promotion_codes=True)


def fill_in(sim: "Simulation", session: str) -> bool:
    """The shopper chooses on Stripe's page, as they like; whether anything is left to pay."""
    found = sim.town.stripe.sessions.get(session)
    if not found or not found["shipping_options"]:
        return True
    rate = sim.random.randrange(len(found["shipping_options"]))
    code = sim.random.choice(("", "", "TEN", "FREE"))
    sim.town.stripe.fill_in(session, rate=rate, code=code)
    if rate:
        sim.trouble("a delivery comes on top")
    if code:
        sim.trouble("a code takes some off" if code == "TEN" else "a code takes all off")
    return bool(sim.town.stripe.sessions[session]["amount_total"])


def free(stripe: "FakeStripe", order: str, payment: str) -> bool:
    """Whether this stands for a session of the order that was completed for nothing."""
    session = stripe.sessions.get(payment)
    return bool(
        session
        and session["metadata"]["order"] == order
        and session["payment_status"] == "no_payment_required"
        and session["amount_total"] == 0
    )


def sold_out_for_nothing(stripe: "FakeStripe", order: str, fields: Mapping[str, str]) -> bool:
    """Whether an order came too late, cost nothing, and bought nothing."""
    told = (name[7:] for name in fields if name.startswith("voided:"))
    return any(free(stripe, order, session) for session in told)


def check(stripe: "FakeStripe", order: str, fields: Mapping[str, str]) -> None:
    """Raises Broken when goods were given for other parts than those that Stripe charged."""
    if "terms" not in fields or fields["state"] not in GOODS or "paid_by" not in fields:
        return
    sessions = [one for one in stripe.sessions.values() if _paid(one, fields["paid_by"])]
    for session in sessions:
        there = _parts(session)
        here = {name: int(fields.get(name, 0)) for name in there}
        if here != there:
            raise Broken("I10", f"{order} was charged {there}, and says {here}")
        sent = bool(session["shipping_cost"]["shipping_rate"].endswith("_1"))
        if ("recipient" in fields, fields["way"]) != (sent, "delivery" if sent else "pickup"):
            raise Broken("delivery", f"{order} goes another way than its shopper chose")


def _paid(session: Mapping[str, Any], by: str) -> bool:
    return by in {session["id"], session["payment_intent"]} and session["shipping_cost"] is not None


def _parts(session: Mapping[str, Any]) -> dict[str, int]:
    details = session["total_details"]
    return {
        "amount": session["amount_total"],
        "shipping": details["amount_shipping"],
        "tax": details["amount_tax"],
        "discount": details["amount_discount"],
    }

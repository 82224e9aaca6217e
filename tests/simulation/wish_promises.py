"""Promises about what the operator sends back: each wish is one refund, and its units go one way once."""

from collections import Counter
from collections.abc import Mapping

from storefront.domain.counter import form_of
from storefront.domain.orders import GOODS, State
from tests.simulation.counter_promises import wish_of
from tests.simulation.truth import Broken, Truth
from tests.simulation.values import parsed
from tests.simulation.view import PREFIX, Fields, View, at_counter, named


class WishPromises:
    """Checks what the operator wanted against what Stripe sent, the orders and the ledger."""

    def __init__(self, view: View, truth: Truth) -> None:
        self._view, self._truth = view, truth

    def check(self, orders: Mapping[str, Fields]) -> None:
        """Raises Broken."""
        self._once()
        gone: dict[str, Counter[str]] = {}
        for key, order in self._carried_out(orders).items():
            wish = self._truth.wishes[key]
            if wish.to != "sold":
                gone.setdefault(order, Counter()).update(wish.units)
            if not self._truth.lossy:
                self._moved(key)
        places = self._view.places()
        for order, fields in orders.items():
            if fields["state"] not in GOODS:
                continue
            lines = {one["sku"]: int(one["quantity"]) for one in parsed(fields["lines"])}
            back = gone.get(order, Counter())
            own = {sku: n - back[sku] for sku, n in lines.items() if n > back[sku]}
            at, units = places.get(order, ("none", {}))
            if (at, units) != (("sold", own) if own else ("none", {})):
                raise Broken("I3", f"{order} keeps {own} of {lines}, its units are {units} {at}")

    def rest(self, orders: Mapping[str, Fields]) -> None:
        """Raises Broken when a wish that the shop took was never carried out."""
        made = self._made().keys() | self._carried_out(orders).keys()
        for key in self._truth.taken:
            wish = self._truth.wishes[key]
            state = orders[wish.order]["state"] if wish.order in orders else ""
            excused = wish.order in self._truth.for_a_person or self._truth.lossy
            over = state in {State.REFUNDED, State.REVIEW} or excused
            if key not in made and not over:
                raise Broken("I4", f"{wish.amount} of {wish.order} was wanted, and never sent")

    def _made(self) -> dict[str, list[dict[str, object]]]:
        """Refunds that Stripe has, by the wish that their metadata names."""
        found: dict[str, list[dict[str, object]]] = {}
        for refund in self._view.stripe.all_refunds.values():
            if key := refund["metadata"].get("plan"):
                found.setdefault(key, []).append(refund)
        return found

    def _once(self) -> None:
        for key, refunds in self._made().items():
            wish = self._truth.wishes.get(key)
            if not wish or [refund["amount"] for refund in refunds] != [wish.amount]:
                raise Broken("I4", f"{wish} became {refunds}")

    def _carried_out(self, orders: Mapping[str, Fields]) -> dict[str, str]:
        """Wishes of whose refund an order has been told, or that were carried out by hand, with that order."""
        found = {}
        for order, fields in orders.items():
            if at_counter(fields):
                keys = map(wish_of, named(fields, "refund"))
                found.update({key: order for key in keys if key in self._truth.wishes})
                continue
            for refund in named(fields, "refund"):
                stored = self._view.stripe.all_refunds.get(refund)
                if stored and (key := stored["metadata"].get("plan")):
                    found[key] = order
        return found

    def _moved(self, key: str) -> None:
        """The units of a wish stand in the ledger, going where the operator said."""
        wish, moved = self._truth.wishes[key], Counter[str]()
        to = {wish.to}
        if wish.to == "available" and form_of(
            wish.intent
        ):  # it may have been handed over meanwhile
            to.add("written_off")
        for _, entry in self._view.redis.data.get(PREFIX + "ledger", []):
            if entry["why"] == key and entry["target"] in to:
                moved[entry["sku"]] += int(entry["quantity"])
        # A wish that ends its order takes the units that were left, too.
        whole = moved == wish.units if wish.to == "sold" else moved >= Counter(wish.units)
        if not whole:
            raise Broken("I11", f"{wish} moved {dict(moved)}")

"""Promises about how goods reach who pays on the shop's own page: chosen once, before there is a payment."""

from collections.abc import Mapping, Sequence
from typing import Any

from storefront.domain.orders import Form
from storefront.domain.terms import Way
from tests.simulation import extras
from tests.simulation.truth import Broken, Truth
from tests.simulation.values import parsed
from tests.simulation.view import Fields, View

Intent = Mapping[str, Any]


class WayPromises:
    """Checks the choice against what its shopper said, and against what Stripe is to ask for."""

    def __init__(self, view: View, truth: Truth) -> None:
        self._view, self._truth = view, truth
        self._chosen: dict[str, str] = {}

    def restarted(self, *, lossy: bool) -> None:
        if lossy:
            self._chosen.clear()  # a choice that Redis lost is made again

    def check(self, orders: Mapping[str, Fields]) -> None:
        """Raises Broken."""
        if not self._view.town.plan.sends or self._view.town.plan.ui != Form.ELEMENTS:
            return
        for order, fields in orders.items():
            if fields.get("form") == Form.ELEMENTS and "terms" in fields:
                self._order(order, fields)

    def _order(self, order: str, fields: Fields) -> None:
        intents = self._intents(order)
        way = fields.get("way", "")
        if not way:
            if intents and not self._truth.lossy:
                raise Broken("delivery", f"{order} can be paid before its shopper chose")
            return
        if way not in self._truth.ways[order]:
            raise Broken("delivery", f"{order} goes by {way}, which nobody chose")
        if self._chosen.setdefault(order, way) != way:
            raise Broken("delivery", f"{order} went by {self._chosen[order]}, and goes by {way}")
        goods = sum(line["quantity"] * line["unit_amount"] for line in parsed(fields["lines"]))
        total = goods + (extras.rate(goods) if way == Way.DELIVERY else 0)
        if int(fields["amount"]) != total:
            raise Broken("I10", f"{order} is {fields['amount']} by {way}, not {total}")
        if ("recipient" in fields) != (way == Way.DELIVERY):
            raise Broken("delivery", f"{order} goes by {way}: {fields.get('recipient')}")
        for intent in intents:
            named = intent["shipping"] is not None
            if intent["amount"] != total or named != (way == Way.DELIVERY):
                raise Broken("I10", f"{order} goes by {way}, {intent['id']} asks for another way")

    def _intents(self, order: str) -> Sequence[Intent]:
        """The order's own, with what the shop asked for them."""
        found = self._view.stripe.intents.values()
        own = [one for one in found if "form" in one["metadata"]]
        return [one for one in own if one["metadata"]["order"] == order]

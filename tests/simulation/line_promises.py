"""I13: nobody jumps the line, nobody is in it who did not confirm, and what comes free is passed on."""

from collections.abc import Iterator, Mapping
from typing import Any

from storefront.domain.orders import Reason, State
from tests.simulation.hash import read
from tests.simulation.order_promises import LATE_MS
from tests.simulation.truth import Broken, Truth
from tests.simulation.values import parsed
from tests.simulation.view import PREFIX, Fields, View

AROUND = frozenset({"hold", "retake", "allot"})
"""Changes that give units to somebody who is not in line."""
Waiting = dict[str, str]
"""Number and SKU of each place that waits."""


class LinePromises:
    """Checks each change of stock against who waited before it and still does."""

    def __init__(self, view: View, truth: Truth) -> None:
        self._view, self._truth = view, truth
        self._waiting: Waiting = {}
        self._entries = 0

    def restarted(self, *, lossy: bool) -> None:
        if lossy:
            self._waiting = {}
            self._entries = len(self._ledger())

    def check(self, orders: Mapping[str, Fields]) -> None:
        """Raises Broken."""
        places = self._places()
        now = {
            f"{place['number']}:{place['id']}": place["sku"]
            for place in places.values()
            if place["state"] == "waiting"
        }
        numbers = {one: place["number"] for place in places.values() for one in place["orders"]}
        still = {one: sku for one, sku in self._waiting.items() if one in now}
        entries = self._ledger()
        for _, entry in entries[self._entries :]:
            self._change(entry, still, numbers)
        self._entries, self._waiting = len(entries), now
        self._passed_on(set(now.values()))
        for order, fields in orders.items():
            for job in self._needed(order, fields):
                if job not in self._view.zset("due"):
                    raise Broken("nothing due", f"{order} is {fields['state']}, {job} is not due")
            if "place" in fields and fields["place"] not in self._truth.confirmed:
                raise Broken("I13", f"{order} was offered to {fields['place']}, never confirmed")

    def rest(self, orders: Mapping[str, Fields]) -> None:
        """Raises Broken when somebody was not told of an offer that ended."""
        for order, fields in orders.items():
            if _missed(fields) and not self._view.town.postman.count("offer-missed", order):
                raise Broken("I12", f"nobody was told that the offer {order} has ended")
        for place in self._places().values():
            if place["state"] == "unconfirmed":
                raise Broken("never at rest", f"{place['id']} was never confirmed, and is there")

    def late(self, since: int) -> None:
        """Raises Broken when an offer stands long after a worker could have passed it on."""
        now = self._view.now
        for order, deadline in self._view.zset("holds").items():
            state = self._view.hash(f"order:{order}")["state"]
            if state == State.OFFERED and now > max(deadline, since) + LATE_MS:
                raise Broken("I7", f"the offer {order} should have passed on")

    def _change(self, entry: Mapping[str, str], still: Waiting, numbers: Mapping[str, str]) -> None:
        """Whether a change gave units to somebody before others who waited all the while."""
        for member, sku in still.items():
            if sku != entry["sku"]:
                continue
            number, _, place = member.partition(":")
            around = entry["what"] in AROUND and entry["why"] != "restored"
            if around or (entry["what"] == "offer" and numbers.get(entry["order"], "") > number):
                what = f"{entry['order']} got {sku} by a {entry['what']}"
                raise Broken("I13", f"{what} while {place} waited")

    def _passed_on(self, skus: set[str]) -> None:
        if self._view.hash("door").get("run") != self._view.redis.run_id:
            return  # nothing is offered before the books are known to be whole
        for sku in skus:
            available = self._view.level(sku)["available"]
            if available and f"offer:{sku}" not in self._view.zset("due"):
                raise Broken("I13", f"{available} of {sku} are there, and nobody in line has them")

    def _needed(self, order: str, fields: Fields) -> Iterator[str]:
        if fields["state"] == State.OFFERED:
            yield f"expire:{order}"
            if "mail:offer" not in fields:
                yield f"mail:offer:{order}"
        if _missed(fields) and "mail:offer-missed" not in fields:
            yield f"mail:offer-missed:{order}"

    def _places(self) -> dict[str, dict[str, Any]]:
        return read(self._view.hash("places"), _rows)

    def _ledger(self) -> list[tuple[str, Mapping[str, str]]]:
        found: list[tuple[str, Mapping[str, str]]] = self._view.redis.data.get(
            f"{PREFIX}ledger", []
        )
        return found


def _rows(places: Fields) -> dict[str, dict[str, Any]]:
    return {i: parsed(row) | {"id": i} for i, row in places.items() if i != "last"}


def _missed(fields: Fields) -> bool:
    ended = fields["state"] == State.RELEASED and fields["reason"] == Reason.EXPIRED
    return ended and "place" in fields and "taken" not in fields and "session" not in fields

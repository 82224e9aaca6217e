"""Promises about payment links: one never sells more than was set aside, and gives back what is left."""

from collections import Counter
from collections.abc import Mapping

from tests.fakes.account import order_named
from tests.simulation.truth import Broken, Truth
from tests.simulation.view import Fields, View


class LinkPromises:
    """Checks links against their units, the list of what is due, and Stripe."""

    def __init__(self, view: View, truth: Truth) -> None:
        self._view, self._truth = view, truth

    def check(self) -> None:
        """Raises Broken."""
        links, due = self._view.links(), self._view.zset("due")
        allotments = self._view.allotments()
        if extra := allotments.keys() - links.keys():
            raise Broken("I3", f"{sorted(extra)} have units and are no links")
        for link, fields in links.items():
            left, units = int(fields["left"]), int(fields["units"])
            sold = units - left - int(fields.get("returned", "0"))
            expected = {fields["sku"]: left} if left else {}
            if allotments.get(link, {}) != expected or left < 0 or sold < 0:
                raise Broken("I3", f"link {link} is {fields}, its units are {allotments.get(link)}")
            job = {"closed": "", "closing": "unlink"}.get(fields["state"], "link")
            if job and f"{job}:{link}" not in due:
                raise Broken("nothing due", f"link {link} is {fields['state']}")
            if fields["state"] == "closed":
                self._nobody_can_pay(link, fields)
        if not self._truth.lossy:
            self._one_each()

    def rest(self, orders: Mapping[str, Fields]) -> None:
        """Raises Broken when something of a link is left behind."""
        for link, fields in self._view.links().items():
            if fields["state"] != "closed":
                raise Broken("I7", f"link {link} is still {fields['state']}")
        for session in self._view.stripe.sessions.values():
            complete = session["payment_link"] and session["status"] == "complete"
            if complete and order_named(session) not in orders:
                raise Broken("I4", f"{session['id']} was paid and has no order")

    def has_unit(self, session: str) -> bool:
        """Whether a session that was completed just now has a unit of its link's allotment.

        Of a link that somebody switched on again while the shop closed it, nobody can say.
        """
        found = self._view.stripe.sessions[session]
        fields = self._view.links().get(found["metadata"]["link"])
        link = self._view.stripe.links[found["payment_link"]]
        count = link["restrictions"]["completed_sessions"]["count"]
        own = fields is not None and fields.get("stripe", link["id"]) == link["id"]
        own &= link["id"] not in self._truth.switched_on
        return bool(
            own and fields and fields["state"] != "closed" and count <= int(fields["units"])
        )

    def _nobody_can_pay(self, link: str, fields: Fields) -> None:
        """Promise 3: units go back only when nobody can pay for them any more."""
        name = fields.get("stripe")
        if not name or name in self._truth.switched_on or self._truth.lossy:
            return
        if self._view.stripe.links[name]["active"]:
            raise Broken("promise 3", f"link {link} is closed and sells at Stripe")
        for session in self._view.stripe.sessions.values():
            is_open = session["payment_link"] == name and session["status"] == "open"
            if is_open and self._view.payable(session):
                raise Broken("promise 3", f"link {link} is closed, {session['id']} is open")

    def _one_each(self) -> None:
        names = Counter(
            link["metadata"]["link"]
            for link in self._view.stripe.links.values()
            if link["active"] and link["id"] not in self._truth.switched_on
        )
        for link, number in names.items():
            if number > 1:
                raise Broken("I6", f"link {link} sells at {number} addresses")

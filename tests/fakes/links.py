"""The account's Payment Links, and the sessions that their visitors open."""

from collections.abc import Iterator, Mapping
from typing import Any

from storefront.clients.stripe_connection import HARMLESS_KEYS
from storefront.domain.errors import StripeRefused, StripeSpent
from storefront.domain.payment_links import LinkFact, from_link
from storefront.domain.payments import Payment, from_session
from tests.fakes import objects
from tests.fakes.account import Account
from tests.fakes.checks import LONGEST_SESSION_SECONDS, check_metadata
from tests.fakes.faults import Invalid, Wire

LINK_PARAMS = frozenset(
    {
        "after_completion",
        "inactive_message",
        "line_items",
        "metadata",
        "payment_intent_data",
        "payment_method_types",
        "restrictions",
    }
)


class PaymentLinks(Account):
    """What the shop calls, and what visitors and people in Stripe's dashboard do."""

    wire: Wire

    # What the shop calls: methods of clients.stripe_api.Stripe.

    def create_payment_link(self, params: Mapping[str, Any], key: str) -> LinkFact:
        """As the real one: a replay is answered with what the link is now."""
        made = self.wire.post(
            "create_payment_link", key, dict(params), lambda: self._open_link(params)
        )
        if made.replayed:
            return self.payment_link(made.body["id"])
        return from_link(made.body)

    def payment_link(self, link_id: str) -> LinkFact:
        return from_link(self.wire.get("payment_link", lambda: self._known(self.links, link_id)))

    def deactivate_payment_link(self, link_id: str) -> LinkFact:
        """As the real one: only an answer that is no repeat counts."""
        for name in (*range(1, HARMLESS_KEYS), f"fresh-{len(self.wire.calls)}"):
            key = f"link:{link_id}:off:{name}"
            try:
                made = self.wire.post(
                    "deactivate_payment_link", key, link_id, lambda: self._switch(link_id, False)
                )
            except StripeSpent:
                continue
            if not made.replayed:
                return from_link(made.body)
        raise StripeSpent(f"switching {link_id} off was answered with saved answers only")

    def payment_links(self, *, active: bool) -> Iterator[LinkFact]:
        found = self.wire.get(
            "payment_links",
            lambda: [link for link in reversed(self.links.values()) if link["active"] == active],
        )
        yield from map(from_link, found)

    def link_sessions(self, link_id: str, status: str) -> Iterator[Payment]:
        found = self.wire.get("link_sessions", lambda: self._opened_through(link_id, status))
        yield from map(from_session, found)

    # What visitors and people do.

    def visit(self, link_id: str, reference: str = "") -> str:
        """Somebody opens the link's address; answers the session, or empty when it sells no more.

        ``reference`` is what the visitor put into the address as ``client_reference_id``.
        """
        link = self.links[link_id]
        if not link["active"]:
            return ""
        self._age()
        session_id = self._id("cs_test")
        params = {
            **self._link_params[link_id],
            "client_reference_id": reference or None,
            "expires_at": self._seconds() + LONGEST_SESSION_SECONDS,
            "metadata": link["metadata"],
        }
        session = objects.session(
            session_id, params, created=self._seconds(), livemode=self.livemode
        )
        session["payment_link"] = link_id
        session["allowed_payment_method_types"] = link["payment_method_types"]
        session["payment_method_types"] = link["payment_method_types"] or [
            "card",
            "customer_balance",
        ]
        self.sessions[session_id] = session
        self._intent_data[session_id] = {
            "allowed_payment_method_types": link["payment_method_types"],
            **(params.get("payment_intent_data") or {}),
        }
        self._open[session_id] = session["expires_at"]
        return session_id

    def switch_by_hand(self, link_id: str, active: bool) -> None:
        """Someone switches a link off, or on again, in Stripe's dashboard."""
        self._switch(link_id, active)

    def copy_by_hand(self, link_id: str) -> str:
        """Someone makes another link like this one, metadata included; answers its id."""
        made = self._open_link(self._link_params[link_id])
        return str(made["id"])

    # Inside Stripe.

    def _open_link(self, params: Mapping[str, Any]) -> dict[str, Any]:
        if unknown := set(params) - LINK_PARAMS:
            raise Invalid(f"Received unknown parameters: {', '.join(sorted(unknown))}")
        check_metadata(params.get("metadata") or {})
        check_metadata((params.get("payment_intent_data") or {}).get("metadata") or {})
        [line] = params["line_items"]
        limit = params["restrictions"]["completed_sessions"]["limit"]
        price = line["price_data"]
        if price["unit_amount"] < 1 or limit < 1 or not price["product_data"]["name"]:
            raise Invalid("A link takes a price, a name and a limit of 1 or more.")
        if len(params.get("inactive_message") or "") > 500:
            raise Invalid("inactive_message takes 500 characters.")
        link_id = self._id("plink")
        link = objects.payment_link(link_id, params, livemode=self.livemode)
        self.links[link_id] = link
        self._link_params[link_id] = params
        return link

    def _switch(self, link_id: str, active: bool) -> dict[str, Any]:
        link = self._known(self.links, link_id)
        completed = link["restrictions"]["completed_sessions"]
        if active and completed["count"] >= completed["limit"]:
            raise StripeRefused("This payment link has reached its limit.")
        link["active"] = active
        self._tell("payment_link.updated", link)
        return link

    def _opened_through(self, link_id: str, status: str) -> list[dict[str, Any]]:
        self._age()
        return [
            self._expanded(session["id"])
            for session in reversed(self.sessions.values())
            if session["payment_link"] == link_id and session["status"] == status
        ]

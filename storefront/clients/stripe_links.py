"""Stripe's Payment Links, in the few calls that a shop needs.

https://docs.stripe.com/api/payment-link
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, cast

from storefront.clients.stripe_connection import (
    Connection,
    each,
    harmless_keys,
    plain,
    replayed,
)
from storefront.domain.errors import StripeKeyMismatch, StripeSpent
from storefront.domain.payment_links import LinkFact, from_link
from storefront.domain.payments import Payment, from_session


class Links(Connection):
    """An account's Payment Links."""

    def create_payment_link(self, params: Mapping[str, Any], key: str) -> LinkFact:
        """Make a Payment Link, or get the one that this key made before, as it is now."""
        create = self._client.v1.payment_links.create
        fact, again = self._made("link_create", create, params, key, from_link)
        return self.payment_link(fact.id) if again else fact

    def payment_link(self, link_id: str) -> LinkFact:
        """What a Payment Link is now."""
        with self._call("link_retrieve"):
            return from_link(plain(self._client.v1.payment_links.retrieve(link_id)))

    def deactivate_payment_link(self, link_id: str) -> LinkFact:
        """Let a Payment Link open no more sessions; those that are open stay payable.

        Harmless to repeat.
        """
        for name in harmless_keys():
            with (
                suppress(StripeSpent, StripeKeyMismatch),
                self._call("link_deactivate"),
            ):
                made = self._client.v1.payment_links.update(
                    link_id,
                    {"active": False},
                    {"idempotency_key": f"link:{link_id}:off:{name}"},
                )
                # A saved answer says nothing of a link that was switched on again since.
                if not replayed(made):
                    return from_link(plain(made))
        raise StripeSpent(f"switching {link_id} off was answered with saved answers only")

    def payment_links(self, *, active: bool) -> Iterator[LinkFact]:
        """Every Payment Link of the account that sells, or that does not, the newest first."""
        with self._call("link_list"):
            page = self._client.v1.payment_links.list({"active": active, "limit": 100})
            yield from map(from_link, each(page))

    def link_sessions(self, link_id: str, status: str) -> Iterator[Payment]:
        """Sessions that were opened through a Payment Link and have this status, the newest first."""
        with self._call("session_list"):
            page = self._client.v1.checkout.sessions.list(
                {
                    "payment_link": link_id,
                    "status": cast("Any", status),
                    "limit": 100,
                    "expand": ["data.payment_intent"],
                }
            )
            yield from map(from_session, each(page))

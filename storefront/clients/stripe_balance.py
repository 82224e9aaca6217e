"""What moved on the account's balance, as a bookkeeper asks for it."""

from collections.abc import Iterator

from storefront.clients.stripe_connection import Connection, each
from storefront.domain.balance import Entry, from_entry


class Balance(Connection):
    """The account's balance at Stripe."""

    def entries_between(self, earliest: int, latest: int) -> Iterator[Entry]:
        """Every movement in this time (seconds, both included), the newest first.

        https://docs.stripe.com/api/balance_transactions/list
        """
        with self._call("balance_list"):
            page = self._client.v1.balance_transactions.list(
                {
                    "created": {"gte": earliest, "lte": latest},
                    "limit": 100,
                    "expand": ["data.source"],
                }
            )
            yield from map(from_entry, each(page))

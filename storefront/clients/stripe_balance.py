"""What moved on the account's balance, as a bookkeeper asks for it."""

from collections.abc import Iterator
from typing import Any

from storefront.clients.stripe_connection import Connection, each
from storefront.domain.balance import Entry, from_entry


class Balance(Connection):
    """The account's balance at Stripe."""

    def entries_between(
        self, earliest: int, latest: int, *, after: str, most: int
    ) -> Iterator[Entry]:
        """At most so many movements in this time (seconds, both included), the newest first.

        ``after`` is the id of the one that they come after; empty for the newest.

        https://docs.stripe.com/api/balance_transactions/list
        """
        with self._call("balance_list"):
            params: Any = {
                "created": {"gte": earliest, "lte": latest},
                "limit": 100,
                "expand": ["data.source"],
            }
            if after:
                params["starting_after"] = after
            page = self._client.v1.balance_transactions.list(params)
            # Not by islice: what is not asked for any more must end here, as a call that went well.
            for number, entry in enumerate(each(page), 1):
                yield from_entry(entry)
                if number == most:
                    return

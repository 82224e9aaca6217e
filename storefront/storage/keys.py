"""Every key of a shop: its name, type, TTL and who writes it.

All begin with ``{SHOP_ID}:``, a hash tag, so that one shop is one hash slot: a script sees the whole
shop on one server and on any node of a cluster.
"""

from dataclasses import dataclass

SEEN_SECONDS = 35 * 24 * 3600
"""So long an event is known to have been heard, here as in books.lua."""
DOCUMENTED = {
    "stock:available": "hash, SKU → units on sale; scripts",
    "stock:held": "hash, SKU → units kept for orders being paid; scripts",
    "stock:sold": "hash, SKU → units that are customers'; scripts",
    "stock:written_off": "hash, SKU → units taken away; scripts",
    "stock:stocked": "hash, SKU → sum of the other four; scripts",
    "units": "hash, order or link:<link> → where its units are counted; scripts",
    "holds": "sorted set, order by deadline (ms); scripts",
    "returns": "sorted set, SKU:order by deadline (ms); scripts",
    "visitors": "sorted set, visitor:created:order; scripts",
    "addresses": "sorted set, address:created:order; scripts",
    "orders": "sorted set, order by creation (ms); scripts",
    "states": "sorted set, state:created:order; scripts",
    "payments": "hash, PaymentIntent → order; scripts",
    "mailboxes": "sorted set, mail address in small letters, created, order; scripts",
    "asked": "sorted set, mail address by the time its orders were asked for (ms), ten minutes; "
    "mail_orders",
    "due": "sorted set, job by time (ms); scripts",
    "tries": "hash, job → times taken; claim_due, finish_due",
    "ledger": "stream, every change of stock; scripts",
    "live": "channel, published changes; scripts",
    "streams": "hash, process → open pages that it serves, and when it said so (ms); live",
    "seen:<event>": "string, 35 days; written with the event's outcome",
    "restock:<key>": "string, 35 days; restock, correct_stock",
    "undone": "hash, entry of the ledger → when it was undone (ms); undo_entry",
    "door": "hash, the server on which the books were found whole, since when another may have lost "
    "some, or since when they must be rebuilt; publish_catalogue, open_shop",
    "door:lease": "string, half a minute; who brings the shop back after a restart",
    "waiting": "sorted set, SKU:number:place; confirmed places in the order of joining; scripts",
    "places": "hash, place → JSON, every place in the waitlist with its mail address; scripts",
    "order:<order>": "hash, one order; scripts",
    "hold:<order>": "hash, TTL until the deadline and the grace are over; scripts",
    "link:<link>": "hash, one payment link; scripts",
    "links": "sorted set, payment link by creation (ms); scripts",
    "catalogue": "hash, slug → product as JSON; publish_catalogue",
    "catalogue:version": "string; publish_catalogue",
    "prices": "hash, SKU → its Price at Stripe with amount and currency, as JSON; the job price",
    "price_numbers": "hash, SKU → idempotency keys for its Price that will say no more; the job price",
    "shown": "hash, SKU → units that Stripe was last told to be available; the job mirror",
    "reconciled": "string, when Stripe was walked through last (ms); reconcile",
    "metrics": "hash, counter → times; metrics",
    "sales": "hash, minute of a ring of two days → the minute and the units sold in it; scripts",
    "heard": "string, when Stripe's last signed event came (ms); webhooks",
    "money:<day>": "string, a minute, or an hour for a day of very many movements; how far the day's "
    "money is added up; additions",
    "till": "sorted set, order by when money of it last went back at the counter (ms); the job refund",
    "account": "hash, the operator's: generation of sessions, tries to get in, secret of one-time "
    "codes; scripts, account",
    "account:draft": "string, ten minutes; the secret that is being set up; account",
    "account:recovery": "set, SHA-256 of each unused recovery code; confirm_codes, account",
    "limit:<rule>": "string, at most a minute; the rate limits of the web",
}
"""Name after the prefix, and what stands there. ``docs/operations.md`` shows the same table."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The names of one shop's keys."""

    shop_id: str

    def name(self, rest: str) -> str:
        """The full name of the key that is called ``rest`` inside the shop."""
        return f"{{{self.shop_id}}}:{rest}"

    def order(self, order_id: str) -> str:
        """The order's hash."""
        return self.name(f"order:{order_id}")

    def hold(self, order_id: str) -> str:
        """The order's hold, whose TTL ends after deadline and grace."""
        return self.name(f"hold:{order_id}")

    def seen(self, event_id: str) -> str:
        """The mark that a Stripe event's outcome is stored."""
        return self.name(f"seen:{event_id}")

    def restock(self, key: str) -> str:
        """The mark that a form about stock was counted."""
        return self.name(f"restock:{key}")

    def money(self, day: str) -> str:
        """How far a day's money is added up."""
        return self.name(f"money:{day}")

    def undone(self) -> str:
        """Which entries of the ledger were undone."""
        return self.name("undone")

    def link(self, link_id: str) -> str:
        """The payment link's hash."""
        return self.name(f"link:{link_id}")

    def links(self) -> str:
        """The list of payment links."""
        return self.name("links")

    def door(self) -> str:
        """What says whether the shop may take holds."""
        return self.name("door")

    def lease(self) -> str:
        """The mark that somebody brings the shop back."""
        return self.name("door:lease")

    def asked(self) -> str:
        """The mail addresses whose orders were asked for a moment ago."""
        return self.name("asked")

    def account(self) -> str:
        """What is known of the operator's account."""
        return self.name("account")

    def account_draft(self) -> str:
        """The secret of one-time codes that is being set up."""
        return self.name("account:draft")

    def account_recovery(self) -> str:
        """The hashes of recovery codes."""
        return self.name("account:recovery")

    def books(self) -> list[str]:
        """KEYS 1 to 22 of every script that starts with books.lua, in its order."""
        return [
            self.name(rest)
            for rest in (
                "stock:available",
                "stock:held",
                "stock:sold",
                "stock:written_off",
                "stock:stocked",
                "units",
                "holds",
                "returns",
                "visitors",
                "addresses",
                "orders",
                "states",
                "payments",
                "due",
                "ledger",
                "live",
                "metrics",
                "mailboxes",
                "waiting",
                "places",
                "door",
                "sales",
            )
        ]

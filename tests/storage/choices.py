"""What the state machine chooses from, and how it names what belongs to an order."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition

PRICE = 100
NOW, HOUR = 0, 3_600_000
NEVER_OPENS = 9_000_000_000_000
LEASE_MS = 600_000
UNKNOWN = "nobodys"

skus = st.sampled_from(["a", "a", "b", "c"])
baskets = st.dictionaries(skus, st.sampled_from([1, 1, 2, 3]), min_size=1, max_size=2)
amounts = st.sampled_from([PRICE, 2 * PRICE, 3 * PRICE])
events = st.sampled_from(["", "", "evt_1", "evt_2"])
emails = st.sampled_from(["", "ada@example.com", "bob@example.com"])
first = st.sampled_from([1, 1, 1, 2])
"""The number of a session, payment, version or refund of an order: mostly the one it begins with."""
any_or_none = st.sampled_from([1, 1, 1, 2, 0])
reasons = st.sampled_from(["expired", "declined", "cancelled"])
waits = st.sampled_from([HOUR, NOW])
times = st.sampled_from([1, 1, 1, 2])
"""How often a call is sent: its answer may be lost on the way."""
orders = st.sampled_from([0, 0, 0, 0, 1, 1, 1, 2, 2, 3])
"""Which order, counted from the newest."""
statuses = st.sampled_from(["succeeded", "succeeded", "pending", "requires_action", "failed"])

needs_order = precondition(lambda self: self.model.orders)


def session_of(order: str, number: int) -> str:
    """One of the order's sessions; 0 is none."""
    return f"cs_{order}_{number}" if number else ""


def payment_of(order: str, number: int) -> str:
    """One of the order's PaymentIntents; 0 is none."""
    return f"pi_{order}_{number}" if number else ""

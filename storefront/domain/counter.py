"""Sales at the counter: money that goes from hand to hand, so that Stripe never hears of it.

Such a payment has a name of our own in place of a PaymentIntent's: ``cash_ORDER`` or ``reader_ORDER``.
A reader is a card reader that is none of Stripe's.
"""

from storefront.domain.orders import COUNTER, Form, Order

WORDS = {Form.CASH: "in cash", Form.READER: "on the card reader"}
"""How the money came, and how it goes back."""


def payment_of(order: Order) -> str:
    """The name of the one payment that a sale at the counter has."""
    return f"{order.form}_{order.id}"


def form_of(payment: str) -> Form | None:
    """How a payment was taken at the counter; None for one of Stripe's."""
    return next((form for form in COUNTER if payment.startswith(f"{form}_")), None)


def refund_of(payment: str, about: str) -> str:
    """The name of what goes back of such a payment, by what it is for."""
    return f"{payment}_back_{about}"

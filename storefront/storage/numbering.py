"""Numbers of the keys under which Stripe is asked, where a key may once say no more.

Each is stored before it is used, so that a repeat is the same request. Answers 0 when Redis has lost
what the number is about.
"""

from storefront.storage.asking import Asking


class Numbering(Asking):
    """Counts on, one method for each kind of request."""

    def number_refund(self, order: str, about: str) -> int:
        """A new number for a refund of ``about``: a PaymentIntent, or one and a plan (``pi_1:KEY``)."""
        return self._number(self._keys.order(order), f"refund_version:{about}")

    def number_capture(self, order: str, payment_intent: str) -> int:
        """A new number for the capture of a payment."""
        return self._number(self._keys.order(order), f"capture_version:{payment_intent}")

    def number_link(self, link: str) -> int:
        """A new number for the creation of a payment link."""
        return self._number(self._keys.link(link), "version")

    def _number(self, key: str, field: str) -> int:
        return int(self._scripts["number_key"]([key], [field]))

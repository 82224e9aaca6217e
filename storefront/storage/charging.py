"""How scripts are asked about what comes on top of the goods, and what a total is made of."""

from dataclasses import dataclass, field
from typing import Any

from storefront.domain.orders import Form
from storefront.domain.terms import Recipient, Terms


def terms_question(terms: Terms, form: str) -> dict[str, Any]:
    """How a script that takes a hold is asked with the terms; nothing when they are plain.

    On our own page even the only way is to be chosen, because it takes an address.
    """
    if terms.plain:
        return {}
    undecided = form == Form.ELEMENTS and bool(terms.rates)
    only = None if undecided else terms.only
    asked = {
        "text": terms.to_json(),
        "shipping": only.amount if only else 0,
        "way": only.way if only else "",
        "undecided": undecided,
    }
    return {"terms": asked}


@dataclass(frozen=True, slots=True)
class Told:
    """What a payment at Stripe says of an offer that was taken; empty of any other order."""

    terms: str = ""
    """As JSON."""
    form: str = ""


@dataclass(frozen=True, slots=True)
class Charged:
    """What a total is made of, in minor units, and where its goods go."""

    total: int
    shipping: int = 0
    tax: int = 0
    discount: int = 0
    way: str = ""
    recipient: Recipient | None = field(default=None, repr=False)

    def question(self) -> dict[str, object]:
        """As scripts are asked with it."""
        return {
            "total": self.total,
            "shipping": self.shipping,
            "tax": self.tax,
            "discount": self.discount,
            "way": self.way,
            "recipient": self.recipient.to_json() if self.recipient else "",
        }

"""The lines of a session or of a payment link."""

from dataclasses import dataclass, field

from . import money, prices, texts
from .account import Account
from .errors import invalid, missing, not_modelled
from .identifiers import new_id
from .state import Json, public

MOST_QUANTITY = 999_999


@dataclass
class Lines:
    """Checked lines, with the prices and products that were made for them (not stored yet)."""

    currency: str
    items: list[Json] = field(default_factory=list)
    made: list[Json] = field(default_factory=list)

    @property
    def total(self) -> int:
        """The sum of the lines in minor units."""
        return sum(item["amount_total"] for item in self.items)

    def store(self, account: Account) -> None:
        """Stores the prices and products that were made for the lines."""
        for obj in self.made:
            account.put(obj)


def build(account: Account, given: list[Json] | None, most: int) -> Lines:
    """Lines from the parameter `line_items`; StripeError 400 names the first that is wrong."""
    if given is None:
        raise missing("line_items")
    if not 1 <= len(given) <= most:
        raise invalid(f"line_items must have between 1 and {most} items.", "line_items")
    lines = Lines("")
    for index, line in enumerate(given):
        param = f"line_items[{index}]"
        for name in line:
            if name not in ("price", "price_data", "quantity", "metadata"):
                raise not_modelled(f"line items with `{name}`", f"{param}[{name}]")
        if ("price" in line) == ("price_data" in line):
            raise invalid(
                "Each line item must have either `price` or `price_data`.", f"{param}[price]"
            )
        if "quantity" not in line:
            raise missing(f"{param}[quantity]")
        if not 1 <= line["quantity"] <= MOST_QUANTITY:
            raise invalid(
                f"The quantity must be between 1 and {MOST_QUANTITY}.",
                f"{param}[quantity]",
                "parameter_invalid_integer",
            )
        product: Json | None
        if "price" in line:
            price = account.get("price", line["price"], f"{param}[price]")
            product = account.get("product", price["product"])
            if not price["active"]:
                raise invalid(
                    f"The price specified is inactive. This field only accepts active prices: "
                    f"{price['id']}.",
                    f"{param}[price]",
                )
            if not product["active"]:
                raise invalid(
                    f"Price {price['id']} is not available to be purchased because its product is "
                    "not active.",
                    f"{param}[price]",
                )
        else:
            price, product = prices.inline(account, line["price_data"], f"{param}[price_data]")
            lines.made += [price] if product is None else [product, price]
            product = product or account.get("product", price["product"])
        if lines.currency not in ("", price["currency"]):
            raise invalid(
                "All line items must have the same currency; you passed "
                f"{lines.currency} and {price['currency']}.",
                param,
            )
        lines.currency = price["currency"]
        lines.items.append(item_of(price, product, line))
    money_left = money.greatest(lines.currency) - lines.total
    if money_left < 0:
        money.check_charge(lines.total, lines.currency, "line_items", "The total amount due")
    return lines


def item_of(price: Json, product: Json, line: Json) -> Json:
    """One line as Stripe shows it."""
    amount = price["unit_amount"] * line["quantity"]
    return {
        "id": new_id("li"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"],
        "description": product["name"],
        "metadata": texts.metadata(line.get("metadata")),
        "price": public(price),
        "quantity": line["quantity"],
        # For the payment page only; left out of every answer.
        "_": {"images": product["images"]},
    }

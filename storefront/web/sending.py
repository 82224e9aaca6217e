"""What pages say about how the goods reach the shopper, before anything is held."""

from collections.abc import Sequence

from storefront import languages
from storefront.domain.products import Product
from storefront.services import amounts, terms
from storefront.settings import Settings

MOST_NAMES = 4
"""So many countries are named; of more, the number is told."""


def words(settings: Settings, products: Sequence[Product], goods: int | None = None) -> str:
    """One or two sentences about these products together; empty while everything is fetched anyway.

    ``goods`` is what they cost (minor units), where it is known.
    """
    delivering = settings.delivering
    if delivering.delivery == "pickup" or not products:
        return ""
    fetched = [product for product in products if not terms.sends(settings, product)]
    if fetched and len(products) == 1:
        return "This cannot be sent: it is for pick-up only."
    if fetched:
        names = " and ".join(product.name for product in fetched)
        return f"{names} cannot be sent, so the whole order is for pick-up."
    return f"Delivery to {_where(settings)}: {_cost(settings, goods)}." + (
        " Or pick it up: you choose when you pay." if delivering.delivery == "both" else ""
    )


def _where(settings: Settings) -> str:
    known = terms.countries(settings)
    names = [known.get(code, code) for code in settings.delivering.delivery_countries]
    return ", ".join(names) if len(names) <= MOST_NAMES else f"{len(names)} countries"


def _cost(settings: Settings, goods: int | None) -> str:
    def money(amount: int) -> str:
        return amounts.written(
            amount, settings.shop_currency, languages.locale(settings.shop_locale)
        )

    free_from = settings.delivering.delivery_free_from
    rate = settings.delivering.delivery_rate if goods is None else terms.rate(settings, goods)
    if not rate:
        return "free"
    return money(rate) + (f", free from {money(free_from)}" if free_from is not None else "")

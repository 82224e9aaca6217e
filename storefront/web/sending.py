"""What pages say about how the goods reach the shopper, before anything is held."""

from collections.abc import Sequence

from storefront import languages
from storefront.domain.products import Product
from storefront.languages import _
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
        return _("This cannot be sent: it is for pick-up only.")
    if fetched:
        return _(
            "Cannot be sent: %(names)s. So the whole order is for pick-up.",
            names=", ".join(product.name for product in fetched),
        )
    sent = _(
        "Delivery to %(place)s: %(cost)s.", place=_where(settings), cost=_cost(settings, goods)
    )
    if delivering.delivery == "both":
        return " ".join((sent, _("Or pick it up: you choose when you pay.")))
    return sent


def _where(settings: Settings) -> str:
    known = terms.countries(settings)
    names = [known.get(code, code) for code in settings.delivering.delivery_countries]
    if len(names) <= MOST_NAMES:
        return ", ".join(names)
    return _("%(number)s countries", number=len(names))


def _cost(settings: Settings, goods: int | None) -> str:
    def money(amount: int) -> str:
        return amounts.written(
            amount, settings.shop_currency, languages.locale(settings.shop_locale)
        )

    free_from = settings.delivering.delivery_free_from
    rate = settings.delivering.delivery_rate if goods is None else terms.rate(settings, goods)
    if not rate:
        return _("free")
    if free_from is None:
        return money(rate)
    return _("%(cost)s, free from %(goods)s", cost=money(rate), goods=money(free_from))

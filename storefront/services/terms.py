"""What an order's payment may add to its goods or take off them, as the shop offers it today."""

from babel import Locale

from storefront import languages
from storefront.domain.orders import Order
from storefront.domain.products import Product
from storefront.domain.terms import Rate, Terms, Way
from storefront.languages import _
from storefront.services.shop import Shop
from storefront.settings import Settings


def sends(settings: Settings, product: Product) -> bool:
    """Whether a product can be sent."""
    return settings.delivering.delivery != "pickup" and product.delivery


def rate(settings: Settings, goods: int) -> int:
    """What sending goods of this price costs; both in minor units."""
    free_from = settings.delivering.delivery_free_from
    free = free_from is not None and goods >= free_from
    return 0 if free else settings.delivering.delivery_rate


def parts_of(order: Order) -> list[tuple[str, int]]:
    """Names and minor units of what makes an order's total differ from its lines.

    The names are in the current language. A discount is below 0. Tax inside the prices adds
    nothing, and its name says so.
    """
    parts = []
    if order.discount:
        parts.append((_("Discount"), -order.discount))
    if order.way == Way.DELIVERY or order.shipping:
        parts.append((_("Delivery"), order.shipping))
    if order.tax:
        parts.append((_("Tax, in the prices") if order.tax_included else _("Tax"), order.tax))
    return parts


def address_of(settings: Settings, order: Order) -> list[str]:
    """Whom an order's goods are sent to, as on a parcel; empty when they are not sent."""
    to = order.recipient
    if to is None:
        return []
    return [*to.lines, countries(settings).get(to.country, to.country)]


def countries(settings: Settings) -> dict[str, str]:
    """The names of all countries in the current language, by their two letters."""
    return dict(Locale.parse(languages.locale(settings.shop_locale)).territories)


def offered_now(shop: Shop, order: Order) -> Terms:
    """The terms of today for goods that an order has already."""
    catalogue = shop.store.catalogue.current()
    found = [catalogue.by_sku(line.sku) for line in order.lines]
    can_be_sent = all(pair is not None and pair[0].delivery for pair in found)
    return offered(shop.settings, goods=order.goods, can_be_sent=can_be_sent)


def offered(settings: Settings, *, goods: int, can_be_sent: bool) -> Terms:
    """The terms for goods of this price (minor units); one thing that cannot be sent keeps all."""
    delivering = settings.delivering
    ways = {"pickup": (), "delivery": (Way.DELIVERY,), "both": (Way.PICKUP, Way.DELIVERY)}
    chosen = ways[delivering.delivery] if can_be_sent else ()
    cost = {Way.PICKUP: 0, Way.DELIVERY: rate(settings, goods)}
    return Terms(
        rates=tuple(Rate(way, cost[way]) for way in chosen),
        countries=delivering.delivery_countries if chosen else (),
        tax=delivering.automatic_tax,
        codes=delivering.promotion_codes,
    )

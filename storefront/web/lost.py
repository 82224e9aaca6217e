"""Somebody came to an address where nothing is: where they may have wanted to go."""

from flask import request, url_for

from storefront.languages import _
from storefront.services import shelf
from storefront.web.current import shop
from storefront.web.refusals import Refused, Way

MOST = 6
"""Products that are named."""


def not_found(unreachable: tuple[type[Exception], ...]) -> Refused:
    """What is on the shelf; and for a broken link to an order, the way to get it by mail."""
    shelf_way = Way(_("Back to the shelf"), url_for("shelf.index"))
    by_mail = Way(_("Mail me my orders"), url_for("orders.look_for"))
    ways: tuple[Way, ...] = (shelf_way,)
    match request.endpoint, request.path.split("/")[1]:
        case "codes.product", _:
            title = _("This code leads to nothing that is on sale")
            text = _("What it was printed for is off the shelf by now, or the code was mistyped.")
        case "codes.paid", _:
            title = _("There is no order at this address")
            text = _("If you have paid, a mail with the link to your order is on its way to you.")
            ways = (shelf_way, by_mail)
        case _, "orders" | "pay":
            title = _("There is no such order")
            text = _(
                "The link may have lost a letter on its way. We can mail you the links to all orders "
                "that were made with your address."
            )
            ways = (by_mail, shelf_way)
        case _, first:
            title = _("There is nothing here")
            text = _("The address may be mistyped, or the product is off the shelf.")
            if first == "admin":
                ways = (Way("Back to the stock", url_for("admin.stock.show")), shelf_way)
    return Refused(404, _("Not found"), title, text, ways, products=_products(unreachable))


def _products(unreachable: tuple[type[Exception], ...]) -> tuple[Way, ...]:
    """Links to what is on the shelf; none when Redis is gone."""
    try:
        found = shelf.catalogue(shop()).published[:MOST]
    except unreachable:
        return ()
    return tuple(Way(one.name, url_for("shelf.product", slug=one.slug)) for one in found)

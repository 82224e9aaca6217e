"""The mail with the link to a place in the waitlist, which is about no order yet."""

from storefront.services import waitlist_texts
from storefront.services.notices import Letter, deliver, reader
from storefront.services.shop import Shop

KIND = "waitlist"


def send_when_due(shop: Shop, place_id: str) -> int | None:
    """The due job ``mail:waitlist``: send the link that confirms a place. Answers as ``deliver``.

    The header ``X-Shop-Order`` names the order that the place's first offer will be.
    """
    place = shop.store.waitlist.get(place_id)
    if place is None:
        return None
    order = place.orders[0]

    def letter() -> Letter | None:
        notice = waitlist_texts.joined(shop, place)
        # Who asks again much later gets another mail, and not a repeat.
        return Letter(place.email, KIND, notice, order, str(place.mailed)) if notice else None

    language = reader(shop, place.language)
    return deliver(shop, KIND, order, since=place.mailed, language=language, letter=letter)

"""What a refusal says: what happened, what it means for the money, and what to do next."""

from dataclasses import dataclass, field

from flask import request, url_for
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from storefront.domain import errors as said
from storefront.domain.door import WHY, Door
from storefront.domain.errors import Shortage
from storefront.services import shelf
from storefront.web import closed
from storefront.web.current import settings, shop
from storefront.web.limits import TooOften
from storefront.web.security import UnknownHost

RETRY_SECONDS = 10
"""When to come back after Redis or Stripe did not answer."""


@dataclass(frozen=True, slots=True)
class Way:
    """A link onwards from a refusal."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Short:
    """One line of what could not be held, in words."""

    sku: str
    name: str
    state: str
    wanted: int
    available: int
    held: int
    returns_at: int | None
    waited: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """One refusal: its status, its words, and the way on."""

    status: int
    kicker: str
    title: str
    text: str
    ways: tuple[Way, ...] = ()
    shortages: tuple[Short, ...] = ()
    products: tuple[Way, ...] = ()
    """What is on the shelf."""
    opens_at: int | None = None
    retry_after: int | None = None
    headers: dict[str, str] = field(default_factory=dict)


def _back() -> tuple[Way, ...]:
    """Where the visitor came from by what they did, and the shelf."""
    ways = [Way("Back to the shelf", url_for("shelf.index"))]
    if request.endpoint == "checkout.begin" and not _names_goods():
        ways.insert(0, Way("Back to the bag", url_for("bag.show")))
    elif request.endpoint == "bag.change":
        ways.insert(0, Way("To the bag", url_for("bag.show")))
    elif (request.blueprint or "").startswith("admin"):
        ways.insert(0, Way("Back to the stock", url_for("admin.stock.show")))
    elif request.blueprint == "waitlist" and "token" in (request.view_args or {}):
        place = url_for("waitlist.show", token=(request.view_args or {})["token"])
        ways.insert(0, Way("Back to your place in line", place))
    elif request.blueprint == "orders" and request.view_args:
        order_page = url_for("orders.show", token=request.view_args["token"])
        ways.insert(0, Way("Back to the order", order_page))
    return tuple(ways)


def _names_goods() -> bool:
    """Whether the form that was sent named what to buy, if it can be read at all."""
    try:
        return "sku" in request.form
    except HTTPException:
        return False


def _product_ways(
    skus: tuple[str, ...], unreachable: tuple[type[Exception], ...]
) -> tuple[dict[str, str], tuple[Way, ...]]:
    """The names of these SKUs, and links to their products; SKUs alone when Redis is gone."""
    names: dict[str, str] = {}
    ways: dict[str, Way] = {}
    try:
        catalogue = shelf.catalogue(shop())
    except unreachable:
        return names, ()
    for sku in skus:
        if found := catalogue.by_sku(sku):
            product, variant = found
            names[sku] = product.name_of(variant)
            url = url_for("shelf.product", slug=product.slug)
            ways[product.slug] = Way(f"Back to {product.name}", url)
    return names, tuple(ways.values()) if len(ways) == 1 else ()


def _short(shortage: Shortage, name: str) -> Short:
    if shortage.available:
        state = "low"
    elif shortage.held:
        state = "held"
    else:
        state = "sold_out"
    return Short(
        shortage.sku,
        name,
        state,
        shortage.wanted,
        shortage.available,
        shortage.held,
        shortage.returns_at,
        shortage.waited,
    )


def not_enough(error: said.NotEnoughStock, unreachable: tuple[type[Exception], ...]) -> Refused:
    """What is left of each line, and whether the rest is only held."""
    skus = tuple(s.sku for s in error.shortages)
    names, ways = _product_ways(skus, unreachable)
    shortages = tuple(_short(s, names.get(s.sku, s.sku)) for s in error.shortages)
    if any(s.waited for s in shortages):
        title, text = (
            "Others were here before you",
            "What comes free is offered to those in line first; join them to be offered one too.",
        )
    elif any(s.state == "low" for s in shortages):
        title, text = "Not that many are left", "Lower the quantity and try again."
    elif any(s.state == "held" for s in shortages):
        title, text = (
            "Someone was quicker",
            "Other shoppers hold the last units. Whoever does not pay in time gives them back.",
        )
    else:
        title, text = "Sold out", "The last unit is sold, and none is held that could return."
    text = f"{text} Nothing was held for you, and nothing was charged."
    return Refused(409, "Not enough stock", title, text, ways + _back(), shortages)


def refusal(error: Exception, unreachable: tuple[type[Exception], ...]) -> Refused:
    """Every way in which the shop says no."""
    match error:
        case said.NotEnoughStock():
            return not_enough(error, unreachable)
        case said.NotOpenYet():
            names, ways = _product_ways((error.sku,), unreachable)
            name = names.get(error.sku, "This product")
            return Refused(
                409,
                "Not on sale yet",
                "A little early",
                f"{name} is not on sale yet. Nothing was charged.",
                ways + _back(),
                opens_at=error.opens_at,
            )
        case said.AlreadyPaid():
            return Refused(
                409,
                "Too late to give back",
                "This order is already paid",
                "The payment has gone through, or is on its way, so the units are not given back.",
                _back(),
            )
        case said.NotExtendable():
            why = "Its payment page ends with it" if error.no_room else "Its time is over"
            return Refused(
                409,
                "No more time",
                "This hold cannot be extended",
                f"{why}. Nothing was charged; the order's page says how it stands.",
                _back(),
            )
        case said.UnknownSku():
            return Refused(
                422,
                "Not in this shop",
                "We do not sell that",
                f"No article here has the number “{error.sku[:60]}”. It may have been taken off "
                "the shelf. Choose again from the shelf; nothing was charged.",
                _back(),
            )
        case said.OverLimit():
            names, ways = _product_ways((error.sku,), unreachable)
            return Refused(
                422,
                "More than one order may have",
                f"At most {error.limit} in one order",
                f"So that more people get one: at most {error.limit} of "
                f"{names.get(error.sku, error.sku)} in one order. Lower the quantity and try "
                "again; nothing was charged.",
                ways + _back(),
            )
        case said.TooManyHolds():
            return Refused(
                429,
                "Too many at once",
                "Too many holds from your network",
                "Finish paying for one of them, or give it back, and try again. Nothing was "
                "charged.",
                _back(),
                retry_after=max(1, error.retry_after),
            )
        case TooOften():
            return Refused(
                429,
                "Too fast",
                "Please slow down",
                f"Too many requests came from your network. Try again in {error.retry_after} "
                "seconds; nothing was charged.",
                _back(),
                retry_after=error.retry_after,
            )
        case said.ShopClosed():
            return _closed(error.door)
    return Refused(
        422,
        "Please check",
        "That did not work",
        f"{error} Nothing was charged.",
        _back(),
    )


def _closed(door: Door) -> Refused:
    """No holds are taken for now, and what is true of orders may not be known yet."""
    why = closed.WORDS.get(door, "Nothing can be bought right now.")
    title, text = "The shop is closed for the moment", f"{why} Nothing was charged."
    if (request.blueprint or "").startswith("admin"):
        title, text = "The books are not whole", f"{WHY[door]} Nothing was changed."
    elif request.blueprint == "orders":
        title = "Your order is being looked up"
        text = (
            "We are bringing our books back from Stripe. What you paid is not lost: this page shows "
            "your order again as soon as that is done."
        )
    soon = door is Door.RESTARTED
    return Refused(
        503,
        "Closed for the moment",
        title,
        text,
        _back(),
        retry_after=RETRY_SECONDS if soon else RETRY_SECONDS * 6,
    )


def stripe_failed() -> Refused:
    """Stripe could not be asked, or would not do it; nobody paid anything through this request."""
    title = "The payment page cannot be opened"
    text = (
        "The payment service does not answer. Nothing was charged, and units held for you go back "
        "by themselves. Try again in a moment: the same basket goes on where it stopped."
    )
    if (request.blueprint or "").startswith("admin"):
        title, text = "Stripe does not answer", "Nothing was changed. Try again in a moment."
    elif request.endpoint == "codes.paid":
        title = "Your order cannot be shown yet"
        text = (
            "The payment service does not answer. If you have paid, your order is made as soon as "
            "it does, and a mail with the link to it follows. Or reload this page in a moment."
        )
    elif request.endpoint == "orders.cancel":
        title = "Your units are still held"
        text = (
            "The payment service cannot be asked whether you have paid, so nothing was given back "
            "yet. Nothing was charged. Try again in a moment; if you do not pay, the hold ends by "
            "itself."
        )
    return Refused(503, "Payment is out of reach", title, text, _back(), retry_after=RETRY_SECONDS)


def redis_failed() -> Refused:
    """Redis does not answer: nothing can be shown or held."""
    return Refused(
        503,
        "One moment",
        "The shop cannot count its stock",
        "Our storage does not answer, so nothing is sold until it does. Nothing was charged. Try "
        "again in a moment.",
        _back(),
        retry_after=RETRY_SECONDS,
    )


def unsigned() -> Refused:
    """The webhook's body is not Stripe's."""
    return Refused(400, "Refused", "not a signed event", "The signature or the body is wrong.")


def http_error(error: HTTPException) -> Refused:
    """The errors of HTTP itself, but for 404."""
    code = error.code or 500
    match code:
        case 400 if isinstance(error, CSRFError):
            words = (
                "Please try again",
                "This page was open too long or came from elsewhere",
                "Nothing was bought. Go back, reload the page, and try again.",
            )
        case 400 if isinstance(error, UnknownHost):
            url = settings().public_url
            title, text = "The shop is not at this address", f"It is at {url}."
            return Refused(400, "Wrong address", title, text, (Way("To the shop", url),))
        case 400:
            words = (
                "Not understood",
                "That request made no sense to us",
                "Nothing was bought. Go back to the shelf and try again.",
            )
        case 403:
            words = ("Not for everyone", "This page is not open to you", "You are not let in here.")
        case 405:
            words = (
                "Not that way",
                "This address does not take that",
                "Go back to the shelf and try again from there. Nothing was bought.",
            )
        case 413:
            words = (
                "Too big",
                "That was more than a form can hold",
                "Nothing was bought. Go back, reload the page, and try again.",
            )
        case _ if code >= 500:
            words = (
                "Our mistake",
                "Something went wrong here",
                "It has been noted. If you were paying, your order's page tells how it stands.",
            )
        case _:
            words = ("Not understood", error.name, "Go back to the shelf and try again.")
    kept = {k: v for k, v in error.get_headers() if k in {"Allow", "Retry-After"}}
    return Refused(code, *words, ways=_back(), headers=kept)

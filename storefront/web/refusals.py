"""What a refusal says: what happened, what it means for the money, and what to do next."""

from dataclasses import dataclass, field

from flask import request, url_for
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from storefront.domain import errors as said
from storefront.domain.door import WHY, Door
from storefront.domain.errors import Shortage
from storefront.languages import _, plural
from storefront.services import shelf
from storefront.web import closed, language
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
    ways = [Way(_("Back to the shelf"), url_for("shelf.index"))]
    if request.endpoint == "checkout.begin" and not _names_goods():
        ways.insert(0, Way(_("Back to the bag"), url_for("bag.show")))
    elif request.endpoint == "bag.change":
        ways.insert(0, Way(_("To the bag"), url_for("bag.show")))
    elif (request.blueprint or "").startswith("admin"):
        ways.insert(0, Way("Back to the stock", url_for("admin.stock.show")))
    elif request.blueprint == "waitlist" and "token" in (request.view_args or {}):
        place = url_for("waitlist.show", token=(request.view_args or {})["token"])
        ways.insert(0, Way(_("Back to your place in line"), place))
    elif request.blueprint == "orders" and request.view_args:
        order_page = url_for("orders.show", token=request.view_args["token"])
        ways.insert(0, Way(_("Back to the order"), order_page))
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
            ways[product.slug] = Way(_("Back to %(name)s", name=product.name), url)
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
            _("Others were here before you"),
            _(
                "What comes free is offered to those in line first; join them to be offered one too."
            ),
        )
    elif any(s.state == "low" for s in shortages):
        title, text = _("Not that many are left"), _("Lower the quantity and try again.")
    elif any(s.state == "held" for s in shortages):
        title, text = (
            _("Someone was quicker"),
            _("Other shoppers hold the last units. Whoever does not pay in time gives them back."),
        )
    else:
        title, text = _("Sold out"), _("The last unit is sold, and none is held that could return.")
    text = " ".join((text, _("Nothing was held for you, and nothing was charged.")))
    return Refused(409, _("Not enough stock"), title, text, ways + _back(), shortages)


def refusal(error: Exception, unreachable: tuple[type[Exception], ...]) -> Refused:
    """Every way in which the shop says no."""
    match error:
        case said.NotEnoughStock():
            return not_enough(error, unreachable)
        case said.NotOpenYet():
            names, ways = _product_ways((error.sku,), unreachable)
            name = names.get(error.sku, error.sku)
            return Refused(
                409,
                _("Not on sale yet"),
                _("A little early"),
                _("%(name)s is not on sale yet. Nothing was charged.", name=name),
                ways + _back(),
                opens_at=error.opens_at,
            )
        case said.AlreadyPaid():
            return Refused(
                409,
                _("Too late to give back"),
                _("This order is already paid"),
                _(
                    "The payment has gone through, or is on its way, so the units are not given back."
                ),
                _back(),
            )
        case said.NotExtendable():
            page_ends = _("Its payment page ends with it.")
            why = page_ends if error.no_room else _("Its time is over.")
            rest = _("Nothing was charged; the order's page says how it stands.")
            return Refused(
                409,
                _("No more time"),
                _("This hold cannot be extended"),
                f"{why} {rest}",
                _back(),
            )
        case said.UnknownSku():
            return Refused(
                422,
                _("Not in this shop"),
                _("We do not sell that"),
                _(
                    "No article here has the number “%(sku)s”. It may have been taken off the "
                    "shelf. Choose again from the shelf; nothing was charged.",
                    sku=error.sku[:60],
                ),
                _back(),
            )
        case said.OverLimit():
            names, ways = _product_ways((error.sku,), unreachable)
            return Refused(
                422,
                _("More than one order may have"),
                _("At most %(limit)s in one order", limit=error.limit),
                _(
                    "So that more people get one: at most %(limit)s of %(name)s in one order. Lower "
                    "the quantity and try again; nothing was charged.",
                    limit=error.limit,
                    name=names.get(error.sku, error.sku),
                ),
                ways + _back(),
            )
        case said.TooManyHolds():
            return Refused(
                429,
                _("Too many at once"),
                _("Too many holds from your network"),
                _(
                    "Finish paying for one of them, or give it back, and try again. Nothing was "
                    "charged."
                ),
                _back(),
                retry_after=max(1, error.retry_after),
            )
        case TooOften():
            return Refused(
                429,
                _("Too fast"),
                _("Please slow down"),
                plural(
                    "Too many requests came from your network. Try again in %(num)s second; "
                    "nothing was charged.",
                    "Too many requests came from your network. Try again in %(num)s seconds; "
                    "nothing was charged.",
                    error.retry_after,
                ),
                _back(),
                retry_after=error.retry_after,
            )
        case said.ShopClosed():
            return _closed(error.door)
    what = language.told(error) if isinstance(error, said.BadInput) else str(error)
    return Refused(
        422,
        _("Please check"),
        _("That did not work"),
        " ".join((what, _("Nothing was charged."))),
        _back(),
    )


def _closed(door: Door) -> Refused:
    """No holds are taken for now, and what is true of orders may not be known yet."""
    why = closed.words(door) or _("Nothing can be bought right now.")
    title, text = _("The shop is closed for the moment"), " ".join((why, _("Nothing was charged.")))
    if (request.blueprint or "").startswith("admin"):
        title, text = "The books are not whole", f"{WHY[door]} Nothing was changed."
    elif request.blueprint == "orders":
        title = _("Your order is being looked up")
        text = _(
            "We are bringing our books back from Stripe. What you paid is not lost: this page shows "
            "your order again as soon as that is done."
        )
    soon = door is Door.RESTARTED
    return Refused(
        503,
        _("Closed for the moment"),
        title,
        text,
        _back(),
        retry_after=RETRY_SECONDS if soon else RETRY_SECONDS * 6,
    )


def stripe_failed() -> Refused:
    """Stripe could not be asked, or would not do it; nobody paid anything through this request."""
    title = _("The payment page cannot be opened")
    text = _(
        "The payment service does not answer. Nothing was charged, and units held for you go back "
        "by themselves. Try again in a moment: the same basket goes on where it stopped."
    )
    if (request.blueprint or "").startswith("admin"):
        title, text = "Stripe does not answer", "Nothing was changed. Try again in a moment."
    elif request.endpoint == "codes.paid":
        title = _("Your order cannot be shown yet")
        text = _(
            "The payment service does not answer. If you have paid, your order is made as soon as "
            "it does, and a mail with the link to it follows. Or reload this page in a moment."
        )
    elif request.endpoint == "orders.cancel":
        title = _("Your units are still held")
        text = _(
            "The payment service cannot be asked whether you have paid, so nothing was given back "
            "yet. Nothing was charged. Try again in a moment; if you do not pay, the hold ends by "
            "itself."
        )
    return Refused(
        503, _("Payment is out of reach"), title, text, _back(), retry_after=RETRY_SECONDS
    )


def redis_failed() -> Refused:
    """Redis does not answer: nothing can be shown or held."""
    return Refused(
        503,
        _("One moment"),
        _("The shop cannot count its stock"),
        _(
            "Our storage does not answer, so nothing is sold until it does. Nothing was charged. Try "
            "again in a moment."
        ),
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
                _("Please try again"),
                _("This page was open too long or came from elsewhere"),
                _("Nothing was bought. Go back, reload the page, and try again."),
            )
        case 400 if isinstance(error, UnknownHost):
            url = settings().public_url
            title, text = (
                _("The shop is not at this address"),
                _("It is at %(address)s.", address=url),
            )
            return Refused(400, _("Wrong address"), title, text, (Way(_("To the shop"), url),))
        case 400:
            words = (
                _("Not understood"),
                _("That request made no sense to us"),
                _("Nothing was bought. Go back to the shelf and try again."),
            )
        case 403:
            words = (
                _("Not for everyone"),
                _("This page is not open to you"),
                _("You are not let in here."),
            )
        case 405:
            words = (
                _("Not that way"),
                _("This address does not take that"),
                _("Go back to the shelf and try again from there. Nothing was bought."),
            )
        case 413:
            words = (
                _("Too big"),
                _("That was more than a form can hold"),
                _("Nothing was bought. Go back, reload the page, and try again."),
            )
        case _ if code >= 500:
            words = (
                _("Our mistake"),
                _("Something went wrong here"),
                _("It has been noted. If you were paying, your order's page tells how it stands."),
            )
        case _:
            words = (_("Not understood"), error.name, _("Go back to the shelf and try again."))
    kept = {k: v for k, v in error.get_headers() if k in {"Allow", "Retry-After"}}
    return Refused(code, *words, ways=_back(), headers=kept)

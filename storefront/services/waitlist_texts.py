"""What those in line are told: how to confirm, that it is their turn, that it has passed."""

from storefront.domain.orders import Order, Reason, State
from storefront.domain.waitlist import Place, PlaceState
from storefront.languages import _, mark
from storefront.services import links
from storefront.services.notice_parts import Button, Facts, Notice, Words, paragraphs, steps
from storefront.services.shop import Shop

NEXT = mark("What happens next")
NOT_YOU = mark(
    "Was it not you? Then do nothing: without your confirmation the place "
    "is gone in two days, and we write no more."
)


def joined(shop: Shop, place: Place) -> Notice | None:
    """How a place is confirmed; None once it is, or is gone."""
    if place.state is not PlaceState.UNCONFIRMED:
        return None
    name, units = product_name(shop, place.sku), len(place.orders)
    wanted = name if units == 1 else f"{units} × {name}"
    return Notice(
        subject=_("Confirm your place in line for %(name)s", name=name),
        title=_("Confirm your place in line"),
        parts=(
            *paragraphs(
                _(
                    "Somebody, we hope you, asked to wait for %(wanted)s. Your place counts "
                    "from the moment you joined, once you have confirmed it.",
                    wanted=wanted,
                )
            ),
            Button(_("Confirm your place"), links.place(shop.settings, place.id)),
            *steps(
                _(NEXT),
                (
                    _("When it is your turn, a unit is held in your name and we write to you."),
                    _("The same page shows your place at any time, and lets you leave the line."),
                    _("Whoever has its link can do both, so share it with care."),
                    _(NOT_YOU),
                ),
            ),
        ),
    )


def offer(shop: Shop, order: Order, _about: str = "") -> Notice | None:
    """That a unit is held in the reader's name, and until when; None once that is over."""
    if order.state is not State.OFFERED:
        return None
    words, name = Words(shop.settings, order), _name(order)
    until = words.moment(order.deadline)
    return Notice(
        subject=_("It is your turn: %(name)s", name=name),
        title=_("It is your turn"),
        parts=(
            *paragraphs(
                _(
                    "A unit has come free, and it is held in your name until %(until)s. "
                    "Nobody else can buy it until then.",
                    until=until,
                )
            ),
            words.lines(),
            Button(_("Take it"), links.place(shop.settings, order.place)),
            *steps(
                _(NEXT),
                (
                    _("Take it on that page, and pay; nothing is charged before."),
                    _(
                        "If you do not take it by %(until)s, it goes to the next in line.",
                        until=until,
                    ),
                    _("Your place is gone then."),
                    _(
                        "You do not want it? Leave the line there, and the next one gets it at "
                        "once."
                    ),
                ),
            ),
            Facts(((_("Order"), order.id), (_("Held until"), until))),
        ),
    )


def offer_missed(shop: Shop, order: Order, _about: str = "") -> Notice | None:
    """That an offer is over and why; None when its unit was taken after all."""
    if order.state is not State.RELEASED:
        return None
    words, name = Words(shop.settings, order), _name(order)
    why = (
        _(
            "The unit that we held for you until %(until)s was not taken, so it "
            "went to the next in line.",
            until=words.moment(order.deadline),
        )
        if order.reason == Reason.EXPIRED
        else _("We have taken back the offer of this unit. We are sorry for that.")
    )
    return Notice(
        subject=_("Your offer has ended: %(name)s", name=name),
        title=_("Your offer has ended"),
        parts=(
            *paragraphs(why, _("You were not charged, and you are in line no more.")),
            words.lines(),
            Button(_("See the shelf"), shop.settings.public_url),
            *steps(_(NEXT), (_("Do you still want it? Join the line again on its page."),)),
            words.facts(),
        ),
    )


def product_name(shop: Shop, sku: str) -> str:
    """What a SKU is called on the shelf, in one line; its own name when it is there no more."""
    found = shop.store.catalogue.current().by_sku(sku)
    if found is None:
        return sku
    product, variant = found
    return " ".join(product.name_of(variant).split())


def _name(order: Order) -> str:
    line = order.lines[0]
    return " ".join((line.name or line.sku).split())

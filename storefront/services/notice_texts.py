"""What customers are told about their orders: what is true when the mail is written, in plain words."""

from storefront.domain.orders import (
    GOODS,
    MONEY_BACK,
    REFUND_TAKEN,
    Order,
    Reason,
    Refund,
    State,
)
from storefront.languages import _, mark
from storefront.services import links, pickup
from storefront.services.notice_parts import (
    Button,
    Heading,
    Notice,
    Part,
    Picture,
    Words,
    paragraphs,
    steps,
)
from storefront.services.shop import Shop

PAGE = mark("The order's page says at any time how it stands.")
KEPT = mark(
    "Your units are kept for you meanwhile: nobody else can buy them. You do not need to pay again."
)
ANSWER = mark("Is anything not as it should be? Answer this mail.")
NEXT = mark("What happens next")


def confirmed(shop: Shop, order: Order, _about: str = "") -> Notice | None:
    """That the payment arrived and whose the goods are; None once the money goes back instead.

    For every refund there is a mail of its own, so nobody is left without word.
    """
    words = Words(shop.settings, order)
    total = words.money(order.amount)
    title, subject = _("It is yours"), _("Order %(order)s is yours", order=order.id)
    then = [
        _("Keep this mail and the order number: they show that the units are yours."),
        " ".join((_(PAGE), _("Whoever has its link can open it, so share it with care."))),
        _(ANSWER),
    ]
    match order.state:
        case State.PAID if not order.amount:
            text = _("Thank you. There was nothing to pay, and these units are yours.")
        case State.PAID:
            text = _(
                "Thank you. Your payment of %(total)s has arrived, and these units are yours.",
                total=total,
            )
        case State.AUTHORIZED:
            text = _(
                "Thank you. Your bank has agreed to pay %(total)s, and these units are "
                "yours. The amount is being collected.",
                total=total,
            )
        case State.FULFILLED:
            text = _(
                "Thank you. Your payment of %(total)s has arrived, and your order has "
                "left our hands.",
                total=total,
            )
        case State.REVIEW:
            title = _("We have your payment")
            subject = _("We have your payment for order %(order)s", order=order.id)
            text = _(
                "Your payment for this order has arrived. Something about it does not "
                "add up, so a person looks at it before anything else happens."
            )
            then = [_("You need not do anything: we will write to you."), _(PAGE)]
        case _:
            return None
    refunds = [(_("Refunded so far"), words.money(order.refunded))] if order.refunded else []
    return Notice(
        subject,
        title,
        (
            *paragraphs(text),
            words.lines(),
            *words.delivery(),
            _order_button(shop, order),
            *_pick_up(shop, order),
            *steps(_(NEXT), then),
            words.facts(*refunds),
        ),
    )


def sent(shop: Shop, order: Order, _about: str = "") -> Notice | None:
    """That an order was handed to the post; None once its goods are not the customer's any more."""
    if order.state is not State.FULFILLED:
        return None
    words = Words(shop.settings, order)
    return Notice(
        subject=_("Order %(order)s was sent", order=order.id),
        title=_("On its way to you"),
        parts=(
            *paragraphs(_("Your order was handed to the post. This is what is in it:")),
            words.lines(),
            *words.delivery(),
            _order_button(shop, order),
            *steps(_(NEXT), (_(PAGE), _(ANSWER))),
            words.facts(),
        ),
    )


def processing(shop: Shop, order: Order, _about: str = "") -> Notice | None:
    """Where the money is while a bank takes its time; None once it is known how that ended."""
    if order.state is not State.PROCESSING:
        return None
    words = Words(shop.settings, order)
    asked = _(
        "Thank you. Your bank has been asked for %(amount)s, and the money is "
        "on its way to us. With the way to pay that you chose this can take "
        "several days.",
        amount=words.money(order.amount),
    )
    then = (
        _("When the money is here, another mail says that the units are yours."),
        _("Should your bank not pay, nothing is taken from you, and the units go back on sale."),
        _(PAGE),
        _(ANSWER),
    )
    return Notice(
        subject=_("Order %(order)s: your payment is on its way", order=order.id),
        title=_("Your payment is on its way"),
        parts=(
            *paragraphs(asked, _(KEPT)),
            words.lines(),
            _order_button(shop, order),
            *steps(_(NEXT), then),
            words.facts(),
        ),
    )


def declined(shop: Shop, order: Order, _about: str = "") -> Notice | None:
    """That the money did not come after all; None once the order stands otherwise.

    Of a card that is declined at once the payment page tells, and the shopper tries again there.
    """
    if order.state is not State.RELEASED or order.reason != Reason.DECLINED:
        return None
    words = Words(shop.settings, order)
    why = _(
        "Your payment of %(amount)s did not come through: your bank did not send the money. "
        "Nothing was charged.",
        amount=words.money(order.amount),
    )
    back = _("We could not keep the units for you any longer: they are back on sale.")
    then = (
        _(
            "If you still want them, buy them again while they last, perhaps with another way to "
            "pay."
        ),
        _("Should your bank show that the money was taken, answer this mail."),
        _(PAGE),
    )
    return Notice(
        subject=_("Order %(order)s: your payment did not come through", order=order.id),
        title=_("Your payment did not come through"),
        parts=(
            *paragraphs(why, back),
            Button(_("Try again in the shop"), shop.settings.public_url),
            *steps(_(NEXT), then),
            Heading(_("What the order was for")),
            words.lines(),
            words.facts(),
        ),
    )


def refunded(shop: Shop, order: Order, refund_id: str) -> Notice | None:
    """That money goes back, how much of it and why; None for a refund that did not come about."""
    refund = next((r for r in order.refunds if r.id == refund_id), None)
    if refund is None or refund.status not in REFUND_TAKEN:
        return None
    words = Words(shop.settings, order)
    amount = words.money(refund.amount)
    match refund.status:
        case "succeeded":
            status = _("sent back")
            how = _("The refund of %(amount)s was sent back to what you paid with.", amount=amount)
            then = [_("Banks need up to ten working days to show it.")]
        case "requires_action":
            status = _("waiting for your bank details")
            how = _("The refund of %(amount)s is prepared.", amount=amount)
            then = [_("Stripe, who handles our payments, asks you by mail where to send it.")]
        case _:
            status = _("on its way")
            how = _(
                "The refund of %(amount)s is on its way: Stripe, who handles our "
                "payments, has taken it, but has not finished it yet.",
                amount=amount,
            )
            then = [
                _("Once it is finished, banks need up to ten working days to show it."),
                _("Should it fail, we will write to you."),
            ]
    return Notice(
        subject=_("Refund of %(amount)s for order %(order)s", amount=amount, order=order.id),
        title=_("Refund of %(amount)s", amount=amount),
        parts=(
            *paragraphs(_why(refund), f"{how} {_share(words, refund)}".strip(), _goods(order)),
            words.facts(
                first=((_("Refund"), f"{amount}, {status}"), (_("Refund number"), refund.id))
            ),
            *_about_the_order(shop, words, (*then, _(PAGE), _(ANSWER))),
        ),
    )


def voided(shop: Shop, order: Order, payment: str) -> Notice | None:
    """That a payment was cancelled before any money moved, and why."""
    if payment not in order.voided:
        return None
    words = Words(shop.settings, order)
    amount = words.money(order.voided[payment])
    if not order.voided[payment]:
        return _for_nothing(shop, words, order.void_reasons.get(payment, ""))
    match order.void_reasons.get(payment):
        case Reason.SOLD_OUT:
            why = _(
                "Your payment arrived after the time we held the units for you, and by "
                "then the last ones were sold. We are sorry: we cannot give you the "
                "goods."
            )
        case Reason.DUPLICATE:
            why = _("This order was paid twice, so one of the payments was cancelled.")
        case Reason.CANCELLED:
            why = _("This order was cancelled.")
        case _:
            why = _(
                "Your bank had agreed to pay %(amount)s and did not pay it in the end, "
                "so we cannot give you the goods.",
                amount=amount,
            )
    how = _(
        "No money was taken: the %(amount)s that your bank had set aside for us "
        "is free again, so there is nothing to refund.",
        amount=amount,
    )
    then = (_("Some banks show the amount as reserved for a few days more."), _(PAGE), _(ANSWER))
    return Notice(
        subject=_("Payment for order %(order)s cancelled: nothing was taken", order=order.id),
        title=_("Your payment was cancelled"),
        parts=(
            *paragraphs(why, how, _goods(order)),
            words.facts(first=[(_("Cancelled"), amount)]),
            *_about_the_order(shop, words, then),
        ),
    )


def _for_nothing(shop: Shop, words: Words, reason: str) -> Notice:
    """That an order for which nothing was to pay gets no goods, or not for a second time."""
    order = words.order
    why = (
        _("This order was completed twice, and it has its goods once.")
        if reason == Reason.DUPLICATE
        else _(
            "Your order arrived after the time we held the units for you, and by "
            "then the last ones were sold. We are sorry: we cannot give you the "
            "goods."
        )
    )
    how = _("Nothing was charged, so there is nothing to refund.")
    return Notice(
        subject=_("Order %(order)s: nothing was charged", order=order.id),
        title=_("Nothing was charged"),
        parts=(
            *paragraphs(why, how, _goods(order)),
            words.facts(),
            *_about_the_order(shop, words, (_(PAGE), _(ANSWER))),
        ),
    )


def _order_button(shop: Shop, order: Order) -> Button:
    return Button(_("See your order"), links.order(shop.settings, order.id))


def _about_the_order(shop: Shop, words: Words, then: tuple[str, ...]) -> tuple[Part, ...]:
    """What mails about money end with."""
    return (
        _order_button(shop, words.order),
        *steps(_(NEXT), then),
        Heading(_("What the order was for")),
        words.lines(),
    )


def _pick_up(shop: Shop, order: Order) -> tuple[Part, ...]:
    """The code to show when fetching the units, while they are there to be fetched."""
    if not order.to_pick_up:
        return ()
    png, side = pickup.png(shop.settings, order.id)
    return (
        Heading(_("When you pick it up")),
        *paragraphs(_("Show this code, on paper or on a screen, or say the order number.")),
        Picture(
            name="pickup",
            png=png,
            side=side,
            shows=_("Pick-up code of order %(order)s", order=order.id),
            instead=links.pickup(shop.settings, order.id),
        ),
    )


def _why(refund: Refund) -> str:
    match refund.reason:
        case Reason.SOLD_OUT:
            return _(
                "Your payment arrived after the time we held the units for you, and by "
                "then the last ones were sold. We are sorry: we cannot give you the "
                "goods, so you get your money back."
            )
        case Reason.DUPLICATE:
            return _("This order was paid twice, so you get one of the payments back.")
        case Reason.CANCELLED:
            return _("This order was cancelled, so you get your money back.")
    return _("We have made you a refund for this order.")


def _share(words: Words, refund: Refund) -> str:
    """How much of its payment a refund is."""
    order = words.order
    paid = order.payments.get(refund.payment_intent, 0)
    same = (r for r in order.refunds if r.payment_intent == refund.payment_intent)
    back = sum(r.amount for r in same if r.status in REFUND_TAKEN)
    payment = _("that payment") if len(order.payments) > 1 else _("your payment")
    if not paid:
        return ""
    if refund.amount >= paid:
        return _("It is the full amount of %(payment)s.", payment=payment)
    if back >= paid:
        whole = words.money(paid)
        return _(
            "Together with our other refunds of it, %(payment)s of %(whole)s goes back in full.",
            payment=payment,
            whole=whole,
        )
    return _("It is a part of %(payment)s of %(whole)s.", payment=payment, whole=words.money(paid))


def _goods(order: Order) -> str:
    if order.state in GOODS and not order.gone:
        return _("Your order stands: the goods are yours.")
    if order.state in GOODS and order.own:
        own = ", ".join(f"{number} × {_name(order, sku)}" for sku, number in order.own.items())
        return _("The rest of your order stands: %(own)s.", own=own)
    if order.state in GOODS:
        return _("All goods of this order went back to us.")
    if order.state in MONEY_BACK:
        return _("No goods are due for this order any more.")
    if order.state is State.REVIEW:
        return _(
            "A person is looking at this order, and we will write to you about the rest of it."
        )
    return ""


def _name(order: Order, sku: str) -> str:
    """What a line is called, in one line of text."""
    return next(" ".join((one.name or sku).split()) for one in order.lines if one.sku == sku)

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

PAGE = "The order's page says at any time how it stands."
KEPT = (
    "Your units are kept for you meanwhile: nobody else can buy them. You do not need to pay again."
)
ANSWER = "Is anything not as it should be? Answer this mail."
NEXT = "What happens next"


def confirmed(shop: Shop, order: Order, _about: str = "") -> Notice | None:
    """That the payment arrived and whose the goods are; None once the money goes back instead.

    For every refund there is a mail of its own, so nobody is left without word.
    """
    words = Words(shop.settings, order)
    total = words.money(order.amount)
    title, subject = "It is yours", f"Order {order.id} is yours"
    then = [
        "Keep this mail and the order number: they show that the units are yours.",
        f"{PAGE} Whoever has its link can open it, so share it with care.",
        ANSWER,
    ]
    match order.state:
        case State.PAID if not order.amount:
            text = "Thank you. There was nothing to pay, and these units are yours."
        case State.PAID:
            text = f"Thank you. Your payment of {total} has arrived, and these units are yours."
        case State.AUTHORIZED:
            text = (
                f"Thank you. Your bank has agreed to pay {total}, and these units are yours. The "
                "amount is being collected."
            )
        case State.FULFILLED:
            text = (
                f"Thank you. Your payment of {total} has arrived, and your order has left our "
                "hands."
            )
        case State.REVIEW:
            title = "We have your payment"
            subject = f"We have your payment for order {order.id}"
            text = (
                "Your payment for this order has arrived. Something about it does not add up, so "
                "a person looks at it before anything else happens."
            )
            then = ["You need not do anything: we will write to you.", PAGE]
        case _:
            return None
    refunds = [("Refunded so far", words.money(order.refunded))] if order.refunded else []
    return Notice(
        subject,
        title,
        (
            *paragraphs(text),
            words.lines(),
            *words.delivery(),
            _order_button(shop, order),
            *_pick_up(shop, order),
            *steps(NEXT, then),
            words.facts(*refunds),
        ),
    )


def sent(shop: Shop, order: Order, _about: str = "") -> Notice | None:
    """That an order was handed to the post; None once its goods are not the customer's any more."""
    if order.state is not State.FULFILLED:
        return None
    words = Words(shop.settings, order)
    return Notice(
        subject=f"Order {order.id} was sent",
        title="On its way to you",
        parts=(
            *paragraphs("Your order was handed to the post. This is what is in it:"),
            words.lines(),
            *words.delivery(),
            _order_button(shop, order),
            *steps(NEXT, (PAGE, ANSWER)),
            words.facts(),
        ),
    )


def processing(shop: Shop, order: Order, _about: str = "") -> Notice | None:
    """Where the money is while a bank takes its time; None once it is known how that ended."""
    if order.state is not State.PROCESSING:
        return None
    words = Words(shop.settings, order)
    asked = (
        f"Thank you. Your bank has been asked for {words.money(order.amount)}, and the money is on "
        "its way to us. With the way to pay that you chose this can take several days."
    )
    then = (
        "When the money is here, another mail says that the units are yours.",
        "Should your bank not pay, nothing is taken from you, and the units go back on sale.",
        PAGE,
        ANSWER,
    )
    return Notice(
        subject=f"Order {order.id}: your payment is on its way",
        title="Your payment is on its way",
        parts=(
            *paragraphs(asked, KEPT),
            words.lines(),
            _order_button(shop, order),
            *steps(NEXT, then),
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
            status = "sent back"
            how = f"The refund of {amount} was sent back to what you paid with."
            then = ["Banks need up to ten working days to show it."]
        case "requires_action":
            status = "waiting for your bank details"
            how = f"The refund of {amount} is prepared."
            then = ["Stripe, who handles our payments, asks you by mail where to send it."]
        case _:
            status = "on its way"
            how = (
                f"The refund of {amount} is on its way: Stripe, who handles our payments, has "
                "taken it, but has not finished it yet."
            )
            then = [
                "Once it is finished, banks need up to ten working days to show it.",
                "Should it fail, we will write to you.",
            ]
    return Notice(
        subject=f"Refund of {amount} for order {order.id}",
        title=f"Refund of {amount}",
        parts=(
            *paragraphs(_why(refund), f"{how} {_share(words, refund)}".strip(), _goods(order)),
            words.facts(first=(("Refund", f"{amount}, {status}"), ("Refund number", refund.id))),
            *_about_the_order(shop, words, (*then, PAGE, ANSWER)),
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
            why = (
                "Your payment arrived after the time we held the units for you, and by then the "
                "last ones were sold. We are sorry: we cannot give you the goods."
            )
        case Reason.DUPLICATE:
            why = "This order was paid twice, so one of the payments was cancelled."
        case Reason.CANCELLED:
            why = "This order was cancelled."
        case _:
            why = (
                f"Your bank had agreed to pay {amount} and did not pay it in the end, so we cannot "
                "give you the goods."
            )
    how = (
        f"No money was taken: the {amount} that your bank had set aside for us is free again, so "
        "there is nothing to refund."
    )
    then = ("Some banks show the amount as reserved for a few days more.", PAGE, ANSWER)
    return Notice(
        subject=f"Payment for order {order.id} cancelled: nothing was taken",
        title="Your payment was cancelled",
        parts=(
            *paragraphs(why, how, _goods(order)),
            words.facts(first=[("Cancelled", amount)]),
            *_about_the_order(shop, words, then),
        ),
    )


def _for_nothing(shop: Shop, words: Words, reason: str) -> Notice:
    """That an order for which nothing was to pay gets no goods, or not for a second time."""
    order = words.order
    why = (
        "This order was completed twice, and it has its goods once."
        if reason == Reason.DUPLICATE
        else "Your order arrived after the time we held the units for you, and by then the last "
        "ones were sold. We are sorry: we cannot give you the goods."
    )
    how = "Nothing was charged, so there is nothing to refund."
    return Notice(
        subject=f"Order {order.id}: nothing was charged",
        title="Nothing was charged",
        parts=(
            *paragraphs(why, how, _goods(order)),
            words.facts(),
            *_about_the_order(shop, words, (PAGE, ANSWER)),
        ),
    )


def _order_button(shop: Shop, order: Order) -> Button:
    return Button("See your order", links.order(shop.settings, order.id))


def _about_the_order(shop: Shop, words: Words, then: tuple[str, ...]) -> tuple[Part, ...]:
    """What mails about money end with."""
    return (
        _order_button(shop, words.order),
        *steps(NEXT, then),
        Heading("What the order was for"),
        words.lines(),
    )


def _pick_up(shop: Shop, order: Order) -> tuple[Part, ...]:
    """The code to show when fetching the units, while they are there to be fetched."""
    if not order.to_pick_up:
        return ()
    png, side = pickup.png(shop.settings, order.id)
    return (
        Heading("When you pick it up"),
        *paragraphs("Show this code, on paper or on a screen, or say the order number."),
        Picture(
            name="pickup",
            png=png,
            side=side,
            shows=f"Pick-up code of order {order.id}",
            instead=links.pickup(shop.settings, order.id),
        ),
    )


def _why(refund: Refund) -> str:
    match refund.reason:
        case Reason.SOLD_OUT:
            return (
                "Your payment arrived after the time we held the units for you, and by then the "
                "last ones were sold. We are sorry: we cannot give you the goods, so you get your "
                "money back."
            )
        case Reason.DUPLICATE:
            return "This order was paid twice, so you get one of the payments back."
        case Reason.CANCELLED:
            return "This order was cancelled, so you get your money back."
    return "We have made you a refund for this order."


def _share(words: Words, refund: Refund) -> str:
    """How much of its payment a refund is."""
    order = words.order
    paid = order.payments.get(refund.payment_intent, 0)
    same = (r for r in order.refunds if r.payment_intent == refund.payment_intent)
    back = sum(r.amount for r in same if r.status in REFUND_TAKEN)
    payment = "that payment" if len(order.payments) > 1 else "your payment"
    if not paid:
        return ""
    if refund.amount >= paid:
        return f"It is the full amount of {payment}."
    if back >= paid:
        whole = words.money(paid)
        return f"Together with our other refunds of it, {payment} of {whole} goes back in full."
    return f"It is a part of {payment} of {words.money(paid)}."


def _goods(order: Order) -> str:
    if order.state in GOODS and not order.gone:
        return "Your order stands: the goods are yours."
    if order.state in GOODS and order.own:
        own = ", ".join(f"{number} × {_name(order, sku)}" for sku, number in order.own.items())
        return f"The rest of your order stands: {own}."
    if order.state in GOODS:
        return "All goods of this order went back to us."
    if order.state in MONEY_BACK:
        return "No goods are due for this order any more."
    if order.state is State.REVIEW:
        return "A person is looking at this order, and we will write to you about the rest of it."
    return ""


def _name(order: Order, sku: str) -> str:
    """What a line is called, in one line of text."""
    return next(" ".join((one.name or sku).split()) for one in order.lines if one.sku == sku)

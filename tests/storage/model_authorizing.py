"""What the scripts about money that is only authorised mean, in plain Python."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.storage.model import OrderModel, ShopModel, Span

CANCELLED = "cancelled"
LEFT = "handed over, but its payment was never captured"


def authorize_payment(shop: "ShopModel", now: "Span", order: str, **ask: Any) -> str:
    one, payment = shop.orders.get(order), ask["payment_intent"]
    if one is None:
        return "unknown_order"
    if shop.bought_another(order, payment):
        return "other_order"
    one.email = ask["email"] or one.email
    if ask["capture_before"] and payment not in {*one.payments, *one.voided}:
        one.capture_before[payment] = ask["capture_before"]
    if payment in {*one.authorizations, *one.payments, *one.voided}:
        return "already"
    one.authorizations[payment] = ask["amount"]
    before = one.session
    one.note_session(ask["session"])
    void = f"void:{order}:{payment}"
    if one.paid_by or one.at == "sold" or shop.money_at_hand(order):
        one.void_reasons[payment] = "duplicate"
        shop.schedule(void, now)
        return "duplicate"
    one.paid_by = payment
    if before and ask["session"] not in {"", before}:
        shop.schedule(f"stray:{order}:{before}", now)
    if one.at == "none" and not shop.all_there(one):
        one.void_reasons[payment] = "sold_out"
        shop.schedule(void, now)
        one.state, one.reason = "void_due", "sold_out"
        return "oversold"
    held = one.at == "held"
    if held:
        shop.end_hold(order)
    shop.move_order(now, "sell" if held else "retake", order, "sold")
    one.state, one.reason = "authorized", ""
    shop.schedule(f"capture:{order}:{payment}", now)
    return "authorized" if held else "retaken"


def capture(shop: "ShopModel", now: "Span", order: str, payment: str, amount: int) -> str:
    """What a payment that was authorised means for its order now that it was taken.

    Empty when it is then one like any other.
    """
    one = shop.orders[order]
    if not take_off(shop, one, order, payment):
        return ""
    reason = one.void_reasons.pop(payment, "")
    if one.paid_by == payment and one.at == "sold":
        one.payments[payment] = amount
        if one.state == "authorized":
            one.state, one.reason = "paid", ""
        shop.schedule(f"mail:confirmed:{order}", now)
        return "captured"
    if one.paid_by == payment:
        one.paid_by = ""
    if reason == CANCELLED and one.at == "none" and not one.paid_by:
        one.payments[payment] = amount
        one.refund_reasons[payment] = reason
        shop.schedule(f"refund:{order}:{payment}", now)
        one.paid_by, one.state, one.reason = payment, "refund_due", reason
        return CANCELLED
    return ""


def void_payment(shop: "ShopModel", now: "Span", order: str, **ask: Any) -> str:
    one, payment = shop.orders.get(order), ask["payment_intent"]
    if one is None:
        return "unknown_order"
    if payment not in one.authorizations:
        return "kept"
    one.voided[payment] = one.authorizations[payment]
    take_off(shop, one, order, payment)
    shop.schedule(f"mail:voided:{order}:{payment}", now)
    if one.paid_by != payment:
        return "voided"
    one.paid_by = ""
    if one.handed_over:
        shop.keep_for_a_person(order)
        one.state, one.reason = "review", LEFT
        shop.schedule(f"mail:review:{order}", now)
        return "review"
    if one.at == "held":
        shop.end_hold(order)
    if one.at != "none":
        shop.move_order(now, "return", order, "available")
    if shop.money_at_hand(order):
        return "voided"
    one.state, one.reason = "voided", one.void_reasons.get(payment, ask["reason"])
    return "voided"


def cancel_authorized(shop: "ShopModel", now: "Span", order: str, *, to: str, **_: Any) -> str:
    one = shop.orders.get(order)
    if one is None:
        return "unknown_order"
    payment = one.paid_by
    if one.void_reasons.get(payment) == CANCELLED:
        return "already"
    if one.state != "authorized":
        return "kept"
    one.void_reasons[payment] = CANCELLED
    shop.unschedule(f"capture:{order}:{payment}")
    shop.schedule(f"void:{order}:{payment}", now)
    shop.move_order(now, "return", order, to)
    one.state, one.reason = "void_due", CANCELLED
    return CANCELLED


def take_off(shop: "ShopModel", one: "OrderModel", order: str, payment: str) -> bool:
    """Whether a payment was an authorisation; it is none any more."""
    if one.authorizations.pop(payment, None) is None:
        return False
    shop.unschedule(f"capture:{order}:{payment}", f"void:{order}:{payment}")
    return True

"""The dashboard: what happened at Stripe, with the buttons that a shop's owner has there."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request
from werkzeug.wrappers import Response

from . import disputes, payment_intents, refunds, sessions
from .bound import account
from .control import only_loopback
from .errors import StripeError
from .refusals import CANCELABLE
from .state import Json
from .upkeep import sweep

ROWS = 50


pages = Blueprint("dashboard", __name__)
pages.before_request(only_loopback)


def overview(problem: str | None = None) -> str:
    sweep(account)

    def newest(kind: str) -> list[Json]:
        return account.state.page(kind, [], limit=ROWS)

    events = [e | {"deliveries": account.deliveries.of(e["id"])} for e in newest("event")]
    return render_template(
        "dashboard.html",
        sessions=newest("checkout.session"),
        intents=newest("payment_intent"),
        refunds=newest("refund"),
        links=newest("payment_link"),
        endpoints=newest("webhook_endpoint"),
        charges={c["id"]: c for c in newest("charge")},
        disputes={d["charge"]: d for d in newest("dispute")},
        events=events,
        now=account.clock.now(),
        ahead=account.clock.ahead,
        fate=account.usual_fate,
        enabled=account.state.setting("webhooks_enabled", True),
        problem=problem,
        cancelable=CANCELABLE,
    )


def done(action: Any) -> Response | tuple[str, int]:
    """Does something in one transaction and shows the dashboard again."""
    try:
        with account.transaction():
            action()
    except StripeError as error:
        return overview(str(error)), 409
    account.deliveries.wake.set()
    return redirect("/", 303)


@pages.get("/")
def index() -> str:
    """Shows the newest of everything."""
    return overview()


@pages.post("/dashboard/payments/<id>/refund")
def refund(id: str) -> Response | tuple[str, int]:  # noqa: A002
    """Refunds a payment: all of it, or the amount in minor units."""
    params: Json = {"payment_intent": id, "reason": "requested_by_customer"}
    amount = request.form.get("amount", "").strip()
    if amount:
        if not amount.isdecimal():
            return overview("The amount must be a whole number of the smallest unit."), 422
        params["amount"] = int(amount)
    return done(lambda: refunds.create(account, params))


@pages.post("/dashboard/payments/<id>/capture")
def capture(id: str) -> Response | tuple[str, int]:  # noqa: A002
    """Takes the money of an authorisation."""
    return done(lambda: payment_intents.capture(account, {}, id))


@pages.post("/dashboard/payments/<id>/cancel")
def cancel(id: str) -> Response | tuple[str, int]:  # noqa: A002
    """Cancels a payment."""
    return done(lambda: payment_intents.cancel(account, {}, id))


@pages.post("/dashboard/payments/<id>/dispute")
def dispute(id: str) -> Response | tuple[str, int]:  # noqa: A002
    """Disputes a payment, as a shopper's bank does."""
    return done(lambda: disputes.open_dispute(account, account.get("payment_intent", id)))


@pages.post("/dashboard/disputes/<id>")
def close_dispute(id: str) -> Response | tuple[str, int]:  # noqa: A002
    """Ends a dispute as won or lost, as the shopper's bank does."""
    status = request.form.get("status", "")
    if status not in ("won", "lost"):
        abort(400, "The status must be won or lost.")
    return done(lambda: disputes.close(account, account.get("dispute", id), status))


@pages.post("/dashboard/refunds/<id>")
def settle(id: str) -> Response | tuple[str, int]:  # noqa: A002
    """Ends a refund as succeeded or failed."""
    status = request.form.get("status", "")
    if status not in ("succeeded", "failed"):
        abort(400, "The status must be succeeded or failed.")
    return done(lambda: refunds.settle(account, account.get("refund", id), status))


@pages.post("/dashboard/sessions/<id>/expire")
def expire(id: str) -> Response | tuple[str, int]:  # noqa: A002
    """Ends an open session."""
    return done(lambda: sessions.expire(account, {}, id))


@pages.post("/dashboard/events/<id>/resend")
def resend(id: str) -> Response | tuple[str, int]:  # noqa: A002
    """Sends an event once more."""
    return done(lambda: account.deliveries.again(id, account.clock.time()))


@pages.before_request
def only_from_here() -> None:
    """Refuses a form that another site's page has sent."""
    origin = request.headers.get("Origin")
    if request.method == "POST" and origin not in (None, request.host_url.rstrip("/")):
        abort(403, "This form was sent from another site.")


@pages.app_template_filter()
def moment(seconds: float) -> str:
    """A time for people, in UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"

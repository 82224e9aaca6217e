"""The payment page: what a shopper sees at a session's or a payment link's address."""

from datetime import UTC, datetime

from flask import Blueprint, abort, make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from . import checkout, payment_links, sessions, texts, totals
from .bound import account
from .checkout import Outcome
from .deliveries import MODES, Fate
from .errors import StripeError
from .state import Json
from .upkeep import sweep
from .webhooks import wait_until_taken

PATIENCE_SECONDS = 10
"""How long Checkout waits for the shop to take an event before it sends the shopper there."""
LONGEST_DELAY_SECONDS = 7 * 24 * 3600
TEST_ADDRESS = {
    "line1": "1 Test Street",
    "line2": "",
    "city": "Testville",
    "postal_code": "12345",
    "state": "",
}
FATES = (
    ("pay", "Pay (card 4242)", "The payment goes through."),
    ("decline", "Be declined (card 0002)", "The bank says no, and the page stays open."),
    ("secure", "3-D Secure (card 3220)", "The bank's page comes first."),
    (
        "delayed_succeed",
        "Delayed method (bank transfer)",
        "Settles later, as many seconds as below.",
    ),
    ("delayed_fail", "Delayed method that fails", "Bounces later, as many seconds as below."),
    ("late", "Pay too late", "The session has ended (or ends now), and is paid all the same."),
)
WEBHOOKS = (
    ("normal", "Normal", "Sent at once."),
    ("lost", "Lost", "Never sent for this payment."),
    ("doubled", "Doubled", "Every fact is sent as two events."),
    ("delayed", "Delayed", "Sent so many seconds later."),
    ("reordered", "Out of order", "What happened last is sent first."),
)

pages = Blueprint("pay", __name__)


def known_session(id: str) -> Json:  # noqa: A002
    """The session as it is now; 404 when there is none."""
    sweep(account)
    session = account.state.get("checkout.session", id)
    if session is None:
        abort(404, "There is no such payment page.")
    return session


def answer(outcome: Outcome, session: Json) -> Response:
    """What the shopper sees after an attempt."""
    account.deliveries.wake.set()
    if outcome.word == "complete":
        wait_until_taken(account, outcome.waited_for, PATIENCE_SECONDS)
        if not session["success_url"]:
            return make_response(render_template("thanks.html", session=session))
        return redirect(success_address(session), 303)
    if outcome.word == "secure":
        return redirect(f"/c/pay/{session['id']}/secure", 303)
    if outcome.word == "declined":
        return form(
            session, errors={"fate": f"{outcome.message} Please try another way."}, status=402
        )
    if outcome.word == "full":
        return show_inactive(account.get("payment_link", session["payment_link"]), 409, tried=True)
    return show_ended(account.get("checkout.session", session["id"]), 409)


def form(session: Json, errors: Json | None = None, status: int = 200) -> Response:
    """The payment form, with what was wrong and what was already filled in."""
    response = make_response(
        render_template(
            "pay.html",
            session=session,
            lines=sessions.lines_of(session),
            options=totals.names(account, session),
            codes=totals.CODES,
            details=session["total_details"],
            fates=FATES,
            webhooks=WEBHOOKS,
            offered=checkout.offered(session),
            given=request.form,
            errors=errors or {},
            until=datetime.fromtimestamp(session["expires_at"], UTC),
            minutes=max(0, session["expires_at"] - account.clock.now()) // 60,
            address=TEST_ADDRESS,
        ),
        status,
    )
    response.form_targets = (session["success_url"],)  # type: ignore[attr-defined]
    return response


def show_ended(session: Json, status: int, errors: Json | None = None) -> Response:
    """That the page has ended, with the way to pay too late when it was not paid."""
    page = render_template("ended.html", session=session, errors=errors or {})
    response = make_response(page, status)
    response.form_targets = (session["success_url"],)  # type: ignore[attr-defined]
    return response


def show_inactive(link: Json, status: int, *, tried: bool = False) -> Response:
    """That a payment link takes no more payments, in the words of its owner."""
    page = render_template("inactive.html", link=link, tried=tried)
    return make_response(page, status)


@pages.get("/c/pay/<id>")
def pay(id: str) -> Response:  # noqa: A002
    """Shows the payment form, or that the page has ended."""
    session = known_session(id)
    return form(session) if session["status"] == "open" else show_ended(session, 200)


@pages.post("/c/pay/<id>")
def attempt(id: str) -> Response:  # noqa: A002
    """Tries to pay."""
    session = known_session(id)
    choice = request.form.get("fate", "pay")
    if session["status"] == "complete" or (session["status"] != "open" and choice != "late"):
        return show_ended(session, 409)
    errors: Json = {}
    shopper = read_shopper(session, errors)
    if request.form.get("update") and not {"option", "code"} & errors.keys():
        return updated(id, shopper)
    fate, seconds = read_fate(errors)
    if choice not in checkout.offered(session) and session["amount_total"]:
        errors["fate"] = "This way to pay is not offered here."
    if errors:
        if session["status"] != "open":
            return show_ended(session, 422, errors)
        return form(session, errors, 422)
    outcome = checkout.pay(account, id, choice, shopper, fate, seconds)
    return answer(outcome, session)


@pages.get("/c/pay/<id>/secure")
def secure(id: str) -> Response:  # noqa: A002
    """Shows the bank's page."""
    session = known_session(id)
    intent = account.state.get("payment_intent", session["payment_intent"] or "")
    if session["status"] != "open" or not intent or intent["status"] != "requires_action":
        return redirect(f"/c/pay/{id}", 303)
    response = make_response(render_template("secure.html", intent=intent))
    response.form_targets = (session["success_url"],)  # type: ignore[attr-defined]
    return response


@pages.post("/c/pay/<id>/secure")
def authenticated(id: str) -> Response:  # noqa: A002
    """Takes the bank's word."""
    session = known_session(id)
    if session["status"] != "open" or not session["payment_intent"]:
        return show_ended(session, 409)
    confirmed = request.form.get("answer") == "confirm"
    outcome = checkout.authenticate(account, session["payment_intent"], confirmed=confirmed)
    return answer(outcome, session)


@pages.get("/l/<slug>")
def visit(slug: str) -> Response:
    """Opens a session for a visitor of a payment link."""
    link = payment_links.by_slug(account, slug)
    if link is None:
        abort(404, "There is no such payment link.")
    if not link["active"]:
        return show_inactive(link, 410)
    try:
        with account.transaction():
            session = payment_links.visit(
                account,
                link,
                request.args.get("client_reference_id", ""),
                request.args.get("prefilled_email", ""),
            )
    except StripeError as error:
        abort(409, str(error))
    return redirect(session["url"], 303)


def updated(id: str, shopper: Json) -> Response:  # noqa: A002
    """The page with its total worked out for what was chosen; nothing is paid."""
    with account.transaction():
        session = account.get("checkout.session", id)
        if session["status"] == "open":
            totals.apply(session, option=shopper.get("option", 0), code=shopper.get("code", ""))
            account.put(session)
    return form(session)


def read_choice(session: Json, errors: Json) -> Json:
    """Which delivery was chosen, and the promotion code."""
    chosen: Json = {}
    if session["shipping_options"]:
        text = request.form.get("option", "0")
        if not text.isdecimal() or int(text) >= len(session["shipping_options"]):
            errors["option"] = "Please choose how it is to be sent."
        else:
            chosen["option"] = int(text)
    code = request.form.get("code", "").strip()
    if code and session["allow_promotion_codes"]:
        chosen["code"] = code
        if code not in totals.CODES:
            errors["code"] = "This code is invalid."
    return chosen


def read_shopper(session: Json, errors: Json) -> Json:
    """Who pays: the mail address, and what else the session asks for."""
    form = request.form
    email = (form.get("email") or session["customer_email"] or "").strip()
    if not texts.EMAIL.fullmatch(email):
        errors["email"] = "Please enter a mail address, such as ada@example.com."
    shopper: Json = {"email": email, **read_choice(session, errors)}
    collected = session["shipping_address_collection"]
    if collected:
        allowed = collected["allowed_countries"]
        country = form.get("country") or allowed[0]
        if country not in allowed:
            errors["country"] = "The shop does not send to this country."
        given = {
            name: form.get(name, value).strip() or None for name, value in TEST_ADDRESS.items()
        }
        shopper["address"] = given | {"country": country}
        shopper["name"] = form.get("name", "").strip() or "Test Shopper"
    if session["phone_number_collection"]["enabled"]:
        shopper["phone"] = form.get("phone", "").strip() or "+15555550100"
    return shopper


def read_fate(errors: Json) -> tuple[Fate | None, float]:
    """What becomes of the webhooks (None: as usual), and the seconds of whatever is delayed."""
    mode = request.form.get("webhooks", "normal")
    try:
        seconds = float(request.form.get("delay_seconds") or 5)
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= LONGEST_DELAY_SECONDS:
        errors["delay_seconds"] = "Please enter a number of seconds, from 0 to a week."
    if mode not in MODES:
        errors["webhooks"] = "Please choose what becomes of the webhooks."
    return (None if mode == "normal" else Fate(mode, seconds)), seconds


def success_address(session: Json) -> str:
    """Where the shopper goes after paying."""
    return str(session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"]))

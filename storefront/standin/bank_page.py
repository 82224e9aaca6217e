"""The page of the bank, for a payment on a page of the shop's own: is it you who pays."""

from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import Blueprint, abort, make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from . import checkout
from .bound import account
from .errors import StripeError
from .refusals import check_secret
from .state import Json
from .upkeep import sweep

WORDS = {"succeeded": "succeeded", "requires_capture": "succeeded", "processing": "pending"}
"""An intent's status to `redirect_status`; ``failed`` for every other."""

pages = Blueprint("bank", __name__)


@pages.get("/c/authenticate/<client_secret>")
def ask(client_secret: str) -> Response:
    """Asks the shopper; one who was asked before is sent on to the shop."""
    intent = known_intent(client_secret)
    if intent["status"] != "requires_action":
        return onward(intent)
    response = make_response(render_template("secure.html", intent=intent))
    response.form_targets = (intent["_"]["return_url"],)  # type: ignore[attr-defined]
    return response


@pages.post("/c/authenticate/<client_secret>")
def answer(client_secret: str) -> Response:
    """Takes the shopper's answer, once, and sends them to the shop."""
    intent = known_intent(client_secret)
    confirmed = request.form.get("answer") == "confirm"
    checkout.authenticate(account, intent["id"], confirmed=confirmed)
    account.deliveries.wake.set()
    return onward(account.get("payment_intent", intent["id"]))


def known_intent(client_secret: str) -> Json:
    """The intent as it is now; 404 when nobody was sent to the bank with this secret."""
    sweep(account)
    intent = account.state.get("payment_intent", client_secret.partition("_secret_")[0])
    try:
        if intent is None or "return_url" not in intent["_"]:
            abort(404, "There is no such payment.")
        check_secret(intent, client_secret)
    except StripeError:
        abort(404, "There is no such payment.")
    return intent


def onward(intent: Json) -> Response:
    """The way back to the shop, or for an intent that has none what became of the payment."""
    back = intent["_"]["return_url"]
    if not back:
        return make_response(render_template("secure.html", intent=intent))
    return redirect(return_address(back, intent), 303)


def return_address(back: str, intent: Json) -> str:
    """Where the shopper goes after the bank's page, with the parameters that Stripe adds."""
    parts = urlsplit(back)
    query = urlencode(
        [
            *parse_qsl(parts.query, keep_blank_values=True),
            ("payment_intent", intent["id"]),
            ("payment_intent_client_secret", intent["client_secret"]),
            ("redirect_status", WORDS.get(intent["status"], "failed")),
        ]
    )
    return parts._replace(query=query).geturl()

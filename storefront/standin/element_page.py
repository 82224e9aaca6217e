"""Stripe.js and the frame of the Payment Element, for payment pages of a shop's own."""

import re
from dataclasses import dataclass

from flask import Blueprint, abort, current_app, make_response, render_template, request
from werkzeug.wrappers import Response

from .browser import LONGEST_DELAY_SECONDS
from .pay_page import WEBHOOKS
from .payment_methods import ACCOUNT_NUMBERS
from .state import Json

ORIGIN = re.compile(r"https?://([\w.-]+|\[[0-9a-f:]+\])(:\d{1,5})?", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class Choice:
    """One way to pay: what the form says of it, and the fields that it sends under its type."""

    id: str
    type: str
    label: str
    hint: str
    fields: Json


def card(id: str, number: str, label: str, hint: str) -> Choice:  # noqa: A002
    """A test card."""
    fields = {"number": number, "exp_month": 12, "exp_year": 2034, "cvc": "123"}
    return Choice(id, "card", f"{label} (card {number[-4:]})", hint, fields)


BANKS: dict[str, tuple[str, Json]] = {
    "us_bank_account": (
        "US bank account",
        {
            "account_number": "000123456789",
            "routing_number": "110000000",
            "account_holder_type": "individual",
        },
    ),
    "sepa_debit": ("SEPA direct debit", {"iban": "AT611904300234573201"}),
    "bacs_debit": ("Bacs direct debit", {"account_number": "00012345", "sort_code": "108800"}),
    "acss_debit": (
        "Canadian direct debit",
        {"account_number": "000123456789", "institution_number": "000", "transit_number": "11000"},
    ),
    "au_becs_debit": (
        "Australian direct debit",
        {"account_number": "000123456", "bsb_number": "000000"},
    ),
}
"""The delayed methods: their names, and the test account that pays."""


def bank(kind: str, *, bounces: bool) -> Choice:
    """A test account of a delayed method."""
    label, fields = BANKS[kind]
    if bounces:
        name, number = ACCOUNT_NUMBERS[kind]
        hint = "Bounces later, as many seconds as below."
        return Choice(f"{kind}-fails", kind, f"{label} that fails", hint, {**fields, name: number})
    hint = "Settles later, as many seconds as below."
    return Choice(kind, kind, f"{label} (delayed)", hint, fields)


CHOICES = (
    card("pay", "4242424242424242", "Pay", "The payment goes through."),
    card("decline", "4000000000000002", "Be declined", "The bank says no."),
    card("poor", "4000000000009995", "Insufficient funds", "The bank says that money is missing."),
    card("secure", "4000000000003220", "3-D Secure", "The bank asks first whether it is you."),
    card("in-vain", "4000008400001629", "3-D Secure, then declined", "The bank asks, and says no."),
    *(bank(kind, bounces=bounces) for kind in BANKS for bounces in (False, True)),
)

pages = Blueprint("element", __name__)


@pages.get("/v3/stripe.js")
@pages.get("/v3/")
@pages.get("/stripe.js")
def stripe_js() -> Response:
    """The script that a payment page loads, from any origin."""
    response = current_app.send_static_file("stripe.js")
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@pages.get("/v3/elements/payment")
def frame() -> Response:
    """The inside of the Payment Element, for the one page that names its own origin."""
    host = request.args.get("host", "")
    if not ORIGIN.fullmatch(host):
        abort(400, "The Payment Element needs the origin of the page that shows it.")
    page = render_template(
        "element.html", choices=CHOICES, webhooks=WEBHOOKS, longest=LONGEST_DELAY_SECONDS
    )
    response = make_response(page)
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; "
        f"frame-ancestors {host}"
    )
    return response

"""The promise, checked while one looks."""

from flask import Blueprint, render_template, request

from storefront.domain.errors import StripeError
from storefront.services import integrity
from storefront.web.current import shop

blueprint = Blueprint("integrity", __name__)

KINDS = {
    "ask": "Ask Stripe about an order",
    "expire": "End a payment at its deadline",
    "stray": "End a session that nobody needs",
    "look": "Look whether Stripe made a second session of an order",
    "refund": "Send money back",
    "capture": "Take money that a bank agreed to",
    "void": "Let an authorisation go",
    "mail": "Send a mail",
    "mirror": "Tell Stripe what came in",
    "show": "Tell Stripe what a product is like",
    "available": "Tell Stripe how many are on sale",
    "price": "Keep a price at Stripe",
    "offer": "Offer units to those in line",
    "lapse": "Forget a place in line that was never confirmed",
    "link": "See that a payment link is made, and what it sold",
    "unlink": "End a payment link and return what is left",
    "forget": "Forget customers whose time is over",
    "reconcile": "Walk through Stripe's sessions",
}
"""What each kind of job does, in words; one that is not here is shown by its name."""


@blueprint.get("/integrity")
def show() -> str:
    """The operator asks whether every count adds up, and, when wished, whether Stripe agrees."""
    with_stripe = request.args.get("stripe") == "1"
    silent = False
    try:
        found = integrity.look(shop(), with_stripe=with_stripe)
    except StripeError:
        found, silent = integrity.look(shop()), True
    return render_template("admin/integrity.html", found=found, silent=silent, kinds=KINDS)

"""The promise, checked while one looks."""

from flask import Blueprint, render_template, request

from storefront.services.audit import audit
from storefront.web.current import shop

blueprint = Blueprint("integrity", __name__)


@blueprint.get("/integrity")
def show() -> str:
    """The operator asks whether every count adds up, and, when wished, whether Stripe agrees."""
    with_stripe = request.args.get("stripe") == "1"
    checks = audit(shop(), with_stripe)
    return render_template("admin/integrity.html", checks=checks, with_stripe=with_stripe)

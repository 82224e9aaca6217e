"""From wanting to paying."""

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as Answer

from storefront.domain.errors import BadInput
from storefront.domain.orders import HOLDING
from storefront.services import checkout as checkouts
from storefront.services import orders
from storefront.web import addresses, forms, visitors
from storefront.web.current import settings, shop

blueprint = Blueprint("checkout", __name__)


@blueprint.post("/checkout")
def begin() -> Answer:
    """The visitor wants to pay: for what the form names, or else for what is in the bag."""
    skus = request.form.getlist("sku")
    wanted = forms.wanted(skus, request.form.getlist("quantity")) if skus else visitors.bag()
    if not wanted:
        raise BadInput("The bag is empty: put something into it first.")
    started = checkouts.begin(
        shop(),
        visitor=visitors.visitor(),
        address=addresses.mark(settings().secret_key),
        form_token=forms.form_token(request.form),
        wanted=wanted,
    )
    order = started.order
    if order.state in HOLDING:
        token = orders.token(shop(), order.id)
        visitors.remember_hold(token, order.deadline, from_bag=not skus)
    return redirect(started.url, 303)

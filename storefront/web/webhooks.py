"""What Stripe tells the shop."""

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import RequestEntityTooLarge

from storefront.services import events
from storefront.web.current import shop
from storefront.web.security import csrf

blueprint = Blueprint("webhooks", __name__)
csrf.exempt(blueprint)

MAX_BYTES = 256 * 1024


@blueprint.post("/webhooks/stripe")
def stripe() -> Response:
    """Stripe tells of an event; 200 says that its outcome is stored, so it need not tell again.

    The body is read once, as it came: the signature is over its bytes.
    """
    # A body without a length is cut off at the limit, so one byte more shows that it was longer.
    request.max_content_length = MAX_BYTES + 1
    body = request.get_data(cache=False)
    if len(body) > MAX_BYTES:
        raise RequestEntityTooLarge
    outcome = events.receive(shop(), body, request.headers.get("Stripe-Signature", ""))
    return jsonify(outcome=outcome)

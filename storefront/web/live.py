"""The stock as it changes, for every open page."""

from flask import Blueprint, Response

from storefront.domain.errors import TooManyStreams
from storefront.web.current import joined

blueprint = Blueprint("live", __name__)

RETRY_SECONDS = 30
"""When to try again after all streams were taken; until then ``/stock.json`` tells the same."""


@blueprint.get("/live")
def follow() -> Response:
    """An open page wants to hear what changes (Server-Sent Events).

    https://html.spec.whatwg.org/multipage/server-sent-events.html
    """
    try:
        stream = joined().streams.join()
    except TooManyStreams:
        refusal = Response(
            "Too many pages are open: ask /stock.json.\n", 503, mimetype="text/plain"
        )
        refusal.headers["Retry-After"] = str(RETRY_SECONDS)
        refusal.headers["Cache-Control"] = "no-store"
        return refusal
    response = Response(stream, mimetype="text/event-stream")
    response.call_on_close(stream.close)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"  # nginx would keep it until it is worth sending
    return response

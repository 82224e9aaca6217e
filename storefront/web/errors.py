"""Every error becomes an answer: a page in the shop's look, or JSON for programs."""

from collections.abc import Callable

from flask import Flask, Response, jsonify, make_response, render_template, request
from werkzeug.exceptions import HTTPException, NotFound

from storefront.domain import errors as said
from storefront.web import lost, refusals
from storefront.web.limits import TooOften
from storefront.web.refusals import Refused

MACHINES = frozenset({"webhooks", "health"})
"""Blueprints whose callers read JSON, whatever the path is called."""


def answer(refused: Refused) -> Response:
    """The page, or the JSON for programs, with its status and ``Retry-After``."""
    if request.path.endswith(".json") or request.blueprint in MACHINES:
        response = jsonify(error=refused.title, detail=refused.text)
    else:
        response = make_response(render_template("refusal.html", refused=refused))
    response.status_code = refused.status
    response.headers.update(refused.headers)
    response.headers["Cache-Control"] = "no-store"
    if refused.retry_after is not None:
        response.headers["Retry-After"] = str(refused.retry_after)
    return response


def register(
    app: Flask, unreachable: tuple[type[Exception], ...], count: Callable[[str], None]
) -> None:
    """Answer every error of ``app``; ``unreachable`` is what storage raises without its Redis.

    ``count`` is told the name of each limit that refused someone.
    """

    def handle(kind: type[Exception], tell: Callable[[Exception], Refused]) -> None:
        @app.errorhandler(kind)
        def answer_it(error: Exception) -> Response:
            refused = tell(error)
            if refused.status == 503:
                app.logger.warning("%s %s: 503, %r", request.method, request.endpoint, error)
            return answer(refused)

    def limited(error: Exception) -> Refused:
        count(error.limit if isinstance(error, TooOften) else "holds")
        return refusals.refusal(error, unreachable)

    handle(said.Refusal, lambda e: refusals.refusal(e, unreachable))
    handle(TooOften, limited)
    handle(said.TooManyHolds, limited)
    handle(said.StripeError, lambda _: refusals.stripe_failed())
    handle(said.SignatureInvalid, lambda _: refusals.unsigned())
    handle(NotFound, lambda _: lost.not_found(unreachable))
    handle(HTTPException, refusals.http_error)  # type: ignore[arg-type]
    for kind in unreachable:
        handle(kind, lambda _: refusals.redis_failed())

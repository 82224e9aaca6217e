"""Whether the shop serves, whether it may sell, and its figures: for machines."""

import hmac
import ipaddress

from flask import Blueprint, Response, abort, jsonify, request

from storefront.domain.door import WHY, Door
from storefront.services import metrics, recovery
from storefront.web.current import joined, settings, shop

blueprint = Blueprint("health", __name__)


@blueprint.after_request
def never_cached(response: Response) -> Response:
    """An old answer about health is a wrong one."""
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/healthz")
def alive() -> Response:
    """A supervisor asks whether this process serves."""
    return jsonify(ok=True)


@blueprint.get("/readyz")
def ready() -> tuple[Response, int]:
    """A load balancer asks whether the shop may serve: Redis answers, loses nothing, lost no books.

    After a mere restart it may: its pages say that buying opens in a moment, as ``notes`` does here.
    So may a shop before its first import.
    """
    strict = settings().env == "production"
    problems = shop().store.durability(strict=strict)
    door = recovery.stands(shop())
    if door is Door.REBUILD:
        problems.append(WHY[door])
    answer = {"ready": not problems, "problems": problems}
    if door in {Door.RESTARTED, Door.EMPTY}:
        answer["notes"] = [WHY[door]]
    return jsonify(answer), 503 if problems else 200


def _on_loopback() -> bool:
    try:
        address = ipaddress.ip_address((request.remote_addr or "").partition("%")[0])
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def _has_token() -> bool:
    token = settings().metrics_token
    sent = request.headers.get("Authorization", "")
    return bool(token) and hmac.compare_digest(sent.encode(), f"Bearer {token}".encode())


@blueprint.get("/metrics")
def figures() -> Response:
    """Prometheus asks for the figures: from this machine, or with the token."""
    if not (_on_loopback() or _has_token()):
        abort(403)
    return Response(
        metrics.render(shop(), joined().streams.everywhere()),
        content_type="text/plain; version=0.0.4; charset=utf-8",
    )

"""Controls for tests and people on this machine, under /_standin/."""

from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, jsonify, make_response, request

from . import disputes, refunds, tax
from .account import LINK_LIMITS
from .bound import account, faults, log
from .deliveries import MODES
from .errors import StripeError
from .faults import Fault
from .state import Json, public
from .upkeep import forget_old, sweep

LONGEST_LATENCY_MS = 60_000
FARTHEST_SECONDS = 400 * 24 * 3600


controls = Blueprint("control", __name__, url_prefix="/_standin")


@controls.post("/faults")
def plan_fault() -> Any:
    """Plans a failure of the API."""
    fields = body("match", "kind", "times", "delay_ms", "effect")
    try:
        faults.plan(Fault(**fields))
    except (TypeError, ValueError) as error:
        abort(400, str(error))
    return {"planned": len(faults.planned)}


@controls.get("/faults")
def show_faults() -> Any:
    """Shows the planned failures that are left."""
    names = ("match", "kind", "times", "delay_ms", "effect")
    return jsonify([{name: getattr(f, name) for name in names} for f in faults.planned])


@controls.delete("/faults")
def clear_faults() -> Any:
    """Removes all planned failures."""
    faults.clear()
    return {"planned": 0}


@controls.post("/latency")
def set_latency() -> Any:
    """Sets how long every API call takes."""
    faults.latency_ms = int(number(body("ms"), "ms", LONGEST_LATENCY_MS))
    return {"ms": faults.latency_ms}


@controls.get("/webhooks")
def show_webhooks() -> Any:
    """Shows the usual fate of webhooks."""
    fate = account.usual_fate
    enabled = account.state.setting("webhooks_enabled", True)
    return {"enabled": enabled, "mode": fate.mode, "delay_seconds": fate.seconds}


@controls.post("/webhooks")
def set_webhooks() -> Any:
    """Sets the usual fate of webhooks, or holds them all back until enabled again."""
    fields = body("enabled", "mode", "delay_seconds")
    fate = account.usual_fate
    mode = fields.get("mode", fate.mode)
    if mode not in MODES:
        abort(400, f"mode must be one of {', '.join(MODES)}")
    if not isinstance(fields.get("enabled", True), bool):
        abort(400, "enabled must be true or false")
    seconds = number({"delay_seconds": fate.seconds or 5} | fields, "delay_seconds", 604_800)
    with account.state.transaction():
        account.state.set("fate", {"mode": mode, "seconds": seconds})
        if "enabled" in fields:
            account.state.set("webhooks_enabled", fields["enabled"])
    account.deliveries.wake.set()
    return show_webhooks()


@controls.get("/requests")
def show_requests() -> Any:
    """Shows the API requests of late, oldest first."""
    return jsonify(log.rows())


@controls.delete("/requests")
def clear_requests() -> Any:
    """Empties the log."""
    log.entries.clear()
    return {"requests": 0}


@controls.get("/clock")
def show_clock() -> Any:
    """Shows Stripe's time."""
    return {"now": account.clock.now(), "ahead_seconds": account.clock.ahead}


@controls.post("/clock")
def advance_clock() -> Any:
    """Moves Stripe's clock forward; what comes due by that happens before the answer."""
    seconds = number(body("advance_seconds"), "advance_seconds", FARTHEST_SECONDS)
    account.clock.advance(seconds)
    with account.state.transaction():
        account.state.set("ahead", account.clock.ahead)
    sweep(account)
    forget_old(account)
    return show_clock()


@controls.post("/refunds")
def start_refunds() -> Any:
    """Sets whether new refunds start as succeeded or pending."""
    start = body("start").get("start")
    if start not in ("succeeded", "pending"):
        abort(400, "start must be succeeded or pending")
    with account.state.transaction():
        account.state.set("refunds_start", start)
    return {"start": start}


@controls.post("/tax")
def set_tax_status() -> Any:
    """Sets whether Stripe Tax is set up."""
    status = body("status").get("status")
    if status not in tax.STATUSES:
        abort(400, f"status must be one of {', '.join(tax.STATUSES)}")
    with account.state.transaction():
        account.state.set("tax_status", status)
    return {"status": status}


@controls.post("/links")
def set_link_limit() -> Any:
    """Sets whether sessions still open when their payment link is at its limit can be paid."""
    limit = body("limit").get("limit")
    if limit not in LINK_LIMITS:
        abort(400, f"limit must be one of {', '.join(LINK_LIMITS)}")
    with account.state.transaction():
        account.state.set("link_limit", limit)
    return {"limit": limit}


@controls.post("/refunds/<id>")
def settle_refund(id: str) -> Any:  # noqa: A002
    """Ends a refund as succeeded or failed."""
    status = body("status").get("status")
    if status not in ("succeeded", "failed"):
        abort(400, "status must be succeeded or failed")
    with account.transaction():
        refund = refunds.settle(account, account.get("refund", id), status)
    account.deliveries.wake.set()
    return public(refund)


@controls.post("/payment_intents/<id>/dispute")
def dispute(id: str) -> Any:  # noqa: A002
    """Disputes a payment."""
    with account.transaction():
        opened = disputes.open_dispute(account, account.get("payment_intent", id))
    account.deliveries.wake.set()
    return public(opened)


@controls.post("/disputes/<id>")
def close_dispute(id: str) -> Any:  # noqa: A002
    """Ends a dispute as won or lost."""
    status = body("status").get("status")
    if status not in ("won", "lost"):
        abort(400, "status must be won or lost")
    with account.transaction():
        closed = disputes.close(account, account.get("dispute", id), status)
    account.deliveries.wake.set()
    return public(closed)


@controls.post("/events/<id>/resend")
def resend(id: str) -> Any:  # noqa: A002
    """Sends an event once more."""
    with account.transaction():
        account.get("event", id)
        account.deliveries.again(id, account.clock.time())
    account.deliveries.wake.set()
    return jsonify(account.deliveries.of(id))


@controls.get("/events/<id>/deliveries")
def show_deliveries(id: str) -> Any:  # noqa: A002
    """Shows what became of an event at each endpoint."""
    return jsonify(account.deliveries.of(id))


@controls.errorhandler(StripeError)
def refused(error: StripeError) -> Any:
    return refusal(str(error)), error.status


@controls.before_request
def only_loopback() -> None:
    """Refuses clients that are not on this machine, and names that only point to it.

    The second is for a browser: a site elsewhere can give its name our address, and would then
    count as the same site.
    """
    host = urlsplit(f"//{request.host}").hostname or ""
    names = {"localhost", urlsplit(account.public_url).hostname}
    if not near(request.remote_addr or "") or not (host in names or near(host)):
        abort(403, "Only clients on this machine may do this.")


def near(address: str) -> bool:
    """Whether an address is this machine's own."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def body(*names: str) -> Json:
    """The request's JSON object; 400 for a field that is not known."""
    fields = request.get_json(force=False)
    if not isinstance(fields, dict):
        abort(400, "The body must be a JSON object.")
    unknown = sorted(set(fields) - set(names))
    if unknown:
        abort(400, f"unknown: {', '.join(unknown)}; allowed: {', '.join(names)}")
    return fields


def number(fields: Json, name: str, most: float) -> float:
    """A number from 0 to `most`."""
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= most:
        abort(400, f"{name} must be a number from 0 to {most}")
    return value


def refusal(text: str) -> Response:
    """What was wrong with a control."""
    return make_response(jsonify(error=text))

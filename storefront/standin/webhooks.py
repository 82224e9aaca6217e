"""The sender of webhooks: signed, at least once, again and again until the endpoint says 2xx."""

import hashlib
import hmac
import json
import logging
import time
from collections.abc import Iterable

import gevent
import requests
from gevent.pool import Pool
from requests.adapters import HTTPAdapter

from . import API_VERSION
from .account import Account
from .deliveries import Delivery

logger = logging.getLogger(__name__)
AT_ONCE = 25
PATIENCE_SECONDS = 20
TICK_SECONDS = 0.2


class Sender:
    """Sends what is due, in a few greenlets at once and so in no certain order."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.pool = Pool(AT_ONCE)
        self.in_flight: set[int] = set()
        self.session = requests.Session()
        self.session.trust_env = False  # an endpoint beside us is not reached by a proxy
        for scheme in ("http://", "https://"):
            self.session.mount(scheme, HTTPAdapter(pool_maxsize=AT_ONCE))

    def run(self) -> None:
        """Sends for ever; woken by a new event, and every moment for what comes due."""
        while True:
            self.account.deliveries.wake.clear()
            try:
                sent = self.send_due()
            except Exception:
                logger.exception("webhooks could not be looked up")
                sent = 0
            if not sent:
                self.account.deliveries.wake.wait(TICK_SECONDS)

    def send_due(self) -> int:
        """Starts the sending of what is due by now; how many were started."""
        if not self.enabled:
            return 0
        due = self.account.deliveries.due(self.account.clock.time(), AT_ONCE * 2)
        new = [delivery for delivery in due if delivery.id not in self.in_flight]
        for delivery in new:
            self.in_flight.add(delivery.id)
            self.pool.spawn(self.send, delivery)
        return len(new)

    @property
    def enabled(self) -> bool:
        """Whether anything is sent at all; what waits is sent once it is switched on again."""
        return bool(self.account.state.setting("webhooks_enabled", True))

    def send(self, delivery: Delivery) -> None:
        """Sends one event and notes how the endpoint took it."""
        account = self.account
        try:
            endpoint = account.state.get("webhook_endpoint", delivery.endpoint)
            event = account.state.get("event", delivery.event)
            if endpoint is None or event is None or endpoint["status"] != "enabled":
                with account.state.transaction():
                    account.deliveries.refused(
                        delivery, "endpoint gone or disabled", account.clock.time()
                    )
                return
            waiting = account.deliveries.pending(event["id"])
            body = json.dumps({**event, "pending_webhooks": waiting}, indent=2).encode()
            answer, taken = self.post(endpoint["url"], body, endpoint["_"]["secret"])
            with account.state.transaction():
                if taken:
                    account.deliveries.delivered(delivery, answer)
                else:
                    account.deliveries.refused(delivery, answer, account.clock.time())
        finally:
            self.in_flight.discard(delivery.id)

    def post(self, url: str, body: bytes, secret: str) -> tuple[str, bool]:
        """What the endpoint answered, and whether that was 2xx."""
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Stripe-Signature": signature(body, secret, int(time.time())),
            "Stripe-Version": API_VERSION,
        }
        try:
            response = self.session.post(
                url, data=body, headers=headers, timeout=PATIENCE_SECONDS, allow_redirects=False
            )
        except requests.RequestException as error:
            return type(error).__name__, False
        return str(response.status_code), response.ok and response.status_code < 300


def signature(body: bytes, secret: str, timestamp: int) -> str:
    """The header `Stripe-Signature`: HMAC-SHA256 over time and raw body.

    The time is the machine's, not that of the clock which tests move: the receiver compares it
    with its own.
    """
    signed = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return f"t={timestamp},v1={signed.hexdigest()}"


def wait_until_taken(account: Account, events: Iterable[str], seconds: float) -> bool:
    """Waits until every endpoint has taken the events, as Checkout does; whether they did."""
    last = time.monotonic() + seconds
    while any(account.deliveries.pending(event) for event in events):
        if time.monotonic() > last:
            return False
        gevent.sleep(0.02)
    return True

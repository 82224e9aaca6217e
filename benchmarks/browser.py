"""A shopper's browser: the pages it has seen, the form it sends, and the cookie it keeps."""

import re
import secrets
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer

from benchmarks import instant_stripe
from benchmarks.load import WrongAnswer

SECRET_KEY = "only-for-this-measurement"
SHOP_ID = "bench"
PLENTY, GONE = "tote", "record-test"
"""What is bought, and what is sold out."""
GUNICORNS_OWN = {"server", "date", "connection"}


def signer() -> Any:
    """Signs cookies as the shop does."""
    app = Flask("browser", static_folder=None)
    app.secret_key = SECRET_KEY
    return SecureCookieSessionInterface().get_signing_serializer(app)


SIGNER = signer()
FORM_SIGNER = URLSafeTimedSerializer(SECRET_KEY, salt="wtf-csrf-token")
"""Signs a form's token as Flask-WTF does."""


@dataclass(frozen=True)
class Browser:
    """What a browser has after it has looked at a product."""

    form: dict[str, str]
    """The form's hidden fields."""
    cookie: str

    def another(self) -> "Browser":
        """Another new shopper's, with the same page open: whoever comes twice is known."""
        name, _, value = self.cookie.partition("=")
        secret = secrets.token_hex(20)
        session = SIGNER.loads(value) | {"csrf_token": secret}
        form = self.form | {"csrf_token": FORM_SIGNER.dumps(secret)}
        return Browser(form, f"{name}={SIGNER.dumps(session)}")

    def checkout(self, sku: str) -> bytes:
        """The body of a checkout of one unit."""
        return urlencode({**self.form, "sku": sku, "quantity": "1"}).encode()


def record(port: int, price: int, webhook_secret: str) -> tuple[Browser, dict[str, Any]]:
    """One shopper's way through the shop: the browser after it, and every answer on the way."""
    shelf = fetch(port, "GET", "/")
    page = fetch(port, "GET", "/products/record")
    form = dict(re.findall(r'name="(csrf_token|token)" value="([^"]+)"', page["body"]))
    cookie = next(v for k, v in page["headers"] if k == "Set-Cookie").partition(";")[0]
    browser = Browser(form, cookie)
    kind = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie}
    refused = fetch(port, "POST", "/checkout", kind, browser.checkout(GONE))
    accepted = fetch(port, "POST", "/checkout", kind, browser.checkout(PLENTY))
    body = instant_stripe.paid_event(order_in(str(accepted["headers"])), SHOP_ID, price)
    signed = {"Stripe-Signature": instant_stripe.signature(body, webhook_secret)}
    webhook = fetch(port, "POST", "/webhooks/stripe", signed, body)
    answers = {
        "shelf": shelf,
        "product": page,
        "refused": refused,
        "accepted": accepted,
        "webhook": webhook,
    }
    return browser, answers


def order_in(text: str) -> str:
    """The order whose session an answer leads to."""
    found = re.search(rf"{instant_stripe.PREFIX}([0-9a-zA-Z_-]+)", text)
    if not found:
        raise WrongAnswer(f"no session in {text[:400]}")
    return found[1]


def fetch(
    port: int, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""
) -> dict[str, Any]:
    """One answer: status, headers but gunicorn's own, and the body as text."""
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(method, path, body or None, headers or {})
    answer = connection.getresponse()
    text = answer.read().decode()
    kept = [(k, v) for k, v in answer.getheaders() if k.lower() not in GUNICORNS_OWN]
    connection.close()
    return {"status": f"{answer.status} {answer.reason}", "headers": kept, "body": text}

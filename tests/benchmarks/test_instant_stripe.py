"""The instant Stripe answers what Stripe would, as far as the shop reads it."""

import json
import warnings
from urllib.parse import urlencode

from benchmarks.instant_stripe import answer, paid_event, signature
from storefront.clients.stripe_api import Stripe
from storefront.domain.payments import Verdict, from_session, verdict

# The description that may lie beside the repository leaves its file to the garbage collector.
with warnings.catch_warnings(action="ignore", category=ResourceWarning):
    from tests.standin.contract import object_mistakes

FORM = urlencode(
    {
        "line_items[0][quantity]": "2",
        "line_items[0][price_data][unit_amount]": "1600",
        "metadata[order]": "abc",
        "metadata[shop]": "bench",
    }
).encode()


def test_a_session_is_stripes_and_is_for_the_order_that_was_sent():
    answered = answer(b"POST /v1/checkout/sessions HTTP/1.1\r\nHost: x", FORM)
    head, _, body = answered.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert head.endswith(b"Content-Length: %d" % len(body))
    session = json.loads(body)
    assert object_mistakes(session) == []
    payment = from_session(session)
    assert (payment.order, payment.shop, payment.amount) == ("abc", "bench", 3200)
    assert verdict(payment) is Verdict.OPEN
    assert payment.url.endswith(payment.session)


def test_it_makes_nothing_but_sessions():
    answered = answer(b"GET /v1/checkout/sessions/cs_test_abc HTTP/1.1", b"")
    assert answered.startswith(b"HTTP/1.1 404 Not Found\r\n")


def test_a_shop_that_is_set_up_is_told_that_it_was_never_here_before():
    for path in (b"checkout/sessions", b"payment_intents"):
        answered = answer(b"GET /v1/%s?limit=100 HTTP/1.1" % path, b"")
        assert json.loads(answered.partition(b"\r\n\r\n")[2])["data"] == []


def test_an_event_is_stripes_says_paid_and_bears_its_signature():
    body = paid_event("abc", "bench", 1600)
    stripe = Stripe("sk_test_x", webhook_secrets=("whsec_x",))
    event = stripe.event(body, signature(body, "whsec_x"))
    assert object_mistakes(event) == []
    payment = from_session(event["data"]["object"])
    assert verdict(payment) is Verdict.PAID
    assert (payment.order, payment.session, payment.amount) == ("abc", "cs_test_abc", 1600)

"""Stripe, in the few calls that a shop needs.

The only importer of ``stripe``. Every answer is a fact from ``domain.payments``; every failure is one
of four: ``StripeRefused`` (a clear no), ``StripeUnreachable`` (unknown: ask again with the same key),
``StripeSpent`` (the key replays a saved 5xx for ever: look, then go on with another) and
``StripeKeyMismatch`` (the key was used with other parameters: look what it made).
https://docs.stripe.com/api/idempotent_requests
"""

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from email.utils import parsedate_to_datetime
from typing import Any, cast
from uuid import uuid4

import requests
import stripe
from requests.adapters import HTTPAdapter

from storefront.domain.errors import (
    SignatureInvalid,
    StripeBusy,
    StripeKeyMismatch,
    StripeRefused,
    StripeSpent,
    StripeUnreachable,
)
from storefront.domain.fields import Malformed, flag, identity, line, part, required, word
from storefront.domain.payments import (
    Payment,
    RefundFact,
    from_intent,
    from_refund,
    from_session,
)
from storefront.domain.products import ProductFact, from_product

API_VERSION = "2026-10-28.endive"
"""What our parameters and facts are written for."""
TIMEOUT_SECONDS = 8
"""One try. With the one repeat that the library makes, a call ends within 17 s."""
REPEATS = 1
CONNECTIONS = 100
"""Kept open to Stripe by one process. One pool for all greenlets: a pool for each would pay a TLS
handshake with every call."""
BUSY_SECONDS = (0.5, 1, 2)
"""Pauses between looks at a creation that another request has begun; the library adds its own."""
HARMLESS_KEYS = 5
"""Ending a payment twice is harmless, and so is writing where a product stands. So the spent keys of
these calls need no memory: the next number is tried, and in the end a key that nobody has used."""
IDS_IN_ONE_QUESTION = 40
"""Products asked for at once: more would make an address that servers refuse for its length."""

log = logging.getLogger(__name__)


class Stripe:
    """A shop's account at Stripe. Safe to share between threads and greenlets."""

    def __init__(
        self,
        secret_key: str,
        *,
        api_base: str = "",
        webhook_secrets: tuple[str, ...] = (),
        count: Callable[[str, str], None] = lambda *_: None,
    ) -> None:
        """``api_base`` is another address that speaks Stripe's API; empty is Stripe's own.

        ``count`` is told of each call's name and outcome (``ok``, ``refused``, ``unknown``).
        """
        session = requests.Session()
        adapter = HTTPAdapter(pool_connections=4, pool_maxsize=CONNECTIONS)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        session.hooks["response"].append(self._read_clock)
        # Stripe's own tooling: it would send what our calls took along with the next ones.
        stripe.enable_telemetry = False
        self._client = stripe.StripeClient(
            secret_key,
            stripe_version=API_VERSION,
            http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS, session=session),
            base_addresses={"api": api_base} if api_base else None,
            max_network_retries=REPEATS,
        )
        self._webhook_secrets = webhook_secrets
        self._count = count
        self.clock: float | None = None
        """Seconds since 1970 by Stripe's ``Date`` header, as of the last answer."""

    def create_session(self, params: Mapping[str, Any], key: str) -> Payment:
        """Make a Checkout Session, or get the one that this key made before.

        While another request under this key is being worked on, as after a double click, its answer
        is waited for, 7 s at most.
        """
        create = self._client.v1.checkout.sessions.create
        payment, replayed = self._made("session_create", create, params, key, from_session)
        return self.session(payment.session) if replayed else payment

    def session(self, session_id: str) -> Payment:
        """What a session and its PaymentIntent are now."""
        with self._call("session_retrieve"):
            found = self._client.v1.checkout.sessions.retrieve(
                session_id, {"expand": ["payment_intent.latest_charge"]}
            )
            return from_session(_plain(found))

    def expire_session(self, session_id: str) -> Payment:
        """End an open session, so that nothing can be paid with it any more.

        Raises StripeRefused when it is not open: it is paid, being paid, or ended already; and
        StripeSpent when each key only replays a saved error: reading the session tells what it is.
        """
        return self._ended(
            "session_expire",
            f"session:{session_id}:expire",
            lambda options: self._client.v1.checkout.sessions.expire(
                session_id, {"expand": ["payment_intent.latest_charge"]}, options
            ),
            from_session,
        )

    def sessions_between(self, earliest: int, latest: int) -> Iterator[Payment]:
        """Every session created in this time (seconds, both included), the newest first."""
        with self._call("session_list"):
            page = self._client.v1.checkout.sessions.list(
                {
                    "created": {"gte": earliest, "lte": latest},
                    "limit": 100,
                    "expand": ["data.payment_intent"],
                }
            )
            yield from map(from_session, _each(page))

    def told_of_end(self, session_id: str, since: int) -> bool:
        """Whether Stripe ever said that a session expired; ``since`` is its creation (seconds).

        Its events are kept for 30 days: https://docs.stripe.com/api/events/list
        """
        with self._call("event_list"):
            page = self._client.v1.events.list(
                {"type": "checkout.session.expired", "created": {"gte": since}, "limit": 100}
            )
            return any(event["data"]["object"]["id"] == session_id for event in _each(page))

    def create_intent(self, params: Mapping[str, Any], key: str) -> Payment:
        """Make a PaymentIntent, or get the one that this key made before.

        https://docs.stripe.com/api/payment_intents/create
        """
        create = self._client.v1.payment_intents.create
        payment, replayed = self._made("intent_create", create, params, key, from_intent)
        return self.intent(payment.payment_intent) if replayed else payment

    def intents_between(self, earliest: int, latest: int) -> Iterator[Payment]:
        """Every PaymentIntent created in this time (seconds, both included), the newest first."""
        with self._call("intent_list"):
            page = self._client.v1.payment_intents.list(
                {"created": {"gte": earliest, "lte": latest}, "limit": 100}
            )
            yield from map(from_intent, _each(page))

    def intent(self, payment_intent: str) -> Payment:
        """What a PaymentIntent is now."""
        with self._call("intent_retrieve"):
            found = self._client.v1.payment_intents.retrieve(
                payment_intent, {"expand": ["latest_charge"]}
            )
            return from_intent(_plain(found))

    def capture(self, payment_intent: str, key: str) -> Payment:
        """Take all of an authorised amount, or learn what this key did before.

        Raises StripeRefused when it is not authorised (any more): reading it tells what it is.
        https://docs.stripe.com/api/payment_intents/capture
        """
        with self._call("intent_capture"):
            made = self._client.v1.payment_intents.capture(
                payment_intent, {}, {"idempotency_key": key}
            )
            return from_intent(_plain(made))

    def cancel_intent(self, payment_intent: str) -> Payment:
        """End a payment before any money moved: an authorised one, or an open one of our own page.

        An authorised amount is let go, free of fees. Raises StripeRefused when neither is so (any
        more), and StripeSpent when each key only replays a saved error: reading it tells what it is.
        https://docs.stripe.com/api/payment_intents/cancel
        """
        return self._ended(
            "intent_cancel",
            f"void:{payment_intent}",
            lambda options: self._client.v1.payment_intents.cancel(payment_intent, {}, options),
            from_intent,
        )

    def refunds(self, payment_intent: str) -> list[RefundFact]:
        """Every refund of a payment."""
        with self._call("refund_list"):
            page = self._client.v1.refunds.list({"payment_intent": payment_intent, "limit": 100})
            return list(map(from_refund, _each(page)))

    def refunds_between(self, earliest: int, latest: int) -> Iterator[RefundFact]:
        """Every refund made in this time (seconds, both included), the newest first."""
        with self._call("refund_list"):
            page = self._client.v1.refunds.list(
                {"created": {"gte": earliest, "lte": latest}, "limit": 100}
            )
            yield from map(from_refund, _each(page))

    def create_refund(
        self, payment_intent: str, *, amount: int, metadata: Mapping[str, str], key: str
    ) -> RefundFact:
        """Send ``amount`` minor units of a payment back, or get the refund this key made before."""
        with self._call("refund_create"):
            made = self._client.v1.refunds.create(
                {
                    "payment_intent": payment_intent,
                    "amount": amount,
                    "metadata": dict(metadata),
                    "reason": "requested_by_customer",
                },
                {"idempotency_key": key},
            )
            return from_refund(_plain(made))

    def product(self, product_id: str) -> ProductFact | None:
        """What a product is now; None when there is none, or none any more."""
        try:
            with self._call("product_retrieve"):
                found = _plain(self._client.v1.products.retrieve(product_id))
                return None if found.get("deleted") else from_product(found)
        except StripeRefused as refused:
            if refused.status == 404:
                return None
            raise

    def products(self, ids: Sequence[str]) -> Iterator[ProductFact]:
        """Those of these products that exist, archived ones too."""
        for start in range(0, len(ids), IDS_IN_ONE_QUESTION):
            some = list(ids[start : start + IDS_IN_ONE_QUESTION])
            yield from self._product_list({"ids": some, "limit": 100})

    def active_products(self) -> Iterator[ProductFact]:
        """Every product of the account but archived ones, the newest first.

        Stripe makes an archived product for each line of each session that names no product, so a
        list of all would be as long as the shop's history.
        """
        yield from self._product_list({"active": True, "limit": 100})

    def _product_list(self, params: Mapping[str, Any]) -> Iterator[ProductFact]:
        with self._call("product_list"):
            page = self._client.v1.products.list(cast("Any", dict(params)))
            yield from map(from_product, _each(page))

    def create_product(
        self, product_id: str, *, name: str, metadata: Mapping[str, str], key: str
    ) -> None:
        """Make a product under an id of ours; one that exists already stays as it is.

        ``key`` begins the idempotency keys. Harmless to repeat.
        """
        params = {"id": product_id, "name": name, "metadata": dict(metadata)}
        try:
            self._write_product(
                "product_create",
                key,
                lambda options: self._client.v1.products.create(cast("Any", params), options),
            )
        except StripeRefused as refused:
            if refused.code != "resource_already_exists":
                raise

    def update_product(
        self, product_id: str, *, name: str, metadata: Mapping[str, str], key: str
    ) -> None:
        """Write a product's name and some of its metadata. Raises StripeRefused when it is gone.

        ``key`` begins the idempotency keys. Harmless to repeat.
        """
        params = {"name": name, "metadata": dict(metadata)}
        self._write_product(
            "product_update",
            key,
            lambda options: self._client.v1.products.update(
                product_id, cast("Any", params), options
            ),
        )

    def _write_product(self, call: str, key: str, write: Callable[[Any], Any]) -> None:
        """Write under the first key that does not only repeat what was answered before."""
        for name in _harmless_keys():
            with suppress(StripeSpent, StripeKeyMismatch), self._call(call):
                if not _replayed(write({"idempotency_key": f"{key}:{name}"})):
                    return
        raise StripeSpent(f"{key} was answered with saved answers only")

    def undelivered(self, types: Sequence[str]) -> Iterator[str]:
        """The ids of what events of these types were about that no endpoint has taken, of 30 days."""
        with self._call("event_list"):
            page = self._client.v1.events.list(
                {"types": list(types), "delivery_success": False, "limit": 100}
            )
            for event in _each(page):
                yield identity(part(part(event, "data"), "object"))

    def mode(self) -> str:
        """``live`` or ``test``, as proof that the key works."""
        with self._call("balance_retrieve"):
            balance = _plain(self._client.v1.balance.retrieve())
            required(balance, "livemode")
            return "live" if flag(balance, "livemode") else "test"

    def webhook_addresses(self) -> list[tuple[str, str]]:
        """Address and status of each webhook endpoint that the account has."""
        with self._call("webhook_list"):
            page = self._client.v1.webhook_endpoints.list({"limit": 100})
            return [(line(one, "url"), word(one, "status")) for one in _each(page)]

    def event(self, body: bytes, signature: str) -> dict[str, Any]:
        """The JSON object in a webhook's raw body, once its signature is proven.

        Raises SignatureInvalid for anything else: a wrong or old signature, a body that is no
        UTF-8, no JSON or no object.
        """
        for secret in self._webhook_secrets:
            try:
                text = body.decode("utf-8")
                stripe.WebhookSignature.verify_header(text, signature, secret, 300)
                event = json.loads(text, parse_constant=_no_constant)
            except stripe.SignatureVerificationError:
                continue
            except (ValueError, TypeError, RecursionError) as error:
                raise SignatureInvalid("the body is no event") from error
            if not isinstance(event, dict):
                raise SignatureInvalid("signed, but no event")
            return cast("dict[str, Any]", event)
        raise SignatureInvalid("no signature of ours fits")

    def _ended(
        self,
        name: str,
        key: str,
        end: Callable[[Any], Any],
        read: Callable[[dict[str, Any]], Payment],
    ) -> Payment:
        """What a payment is after its end was asked for under the first key that is not spent."""
        for number in _harmless_keys():
            with suppress(StripeSpent), self._call(name):
                return read(_plain(end({"idempotency_key": f"{key}:{number}"})))
        raise StripeSpent(f"{key} was answered with saved errors only")

    def _made(
        self,
        name: str,
        create: Callable[..., Any],
        params: Mapping[str, Any],
        key: str,
        read: Callable[[dict[str, Any]], Payment],
    ) -> tuple[Payment, bool]:
        """What was made, and whether it is a replay, which shows the old body."""
        for pause in (*BUSY_SECONDS, None):
            try:
                with self._call(name):
                    made = create(dict(params), {"idempotency_key": key})
                    return read(_plain(made)), _replayed(made)
            except StripeBusy:
                if pause is None:
                    raise
                time.sleep(pause)
        raise AssertionError("the last try ends the loop")

    @contextmanager
    def _call(self, name: str) -> Iterator[None]:
        outcome = "unknown"
        try:
            yield
            outcome = "ok"
        except stripe.StripeError as error:
            named = _named(error)
            outcome = "refused" if isinstance(named, StripeRefused) else "unknown"
            log.log(
                logging.INFO if outcome == "refused" else logging.WARNING,
                "stripe %s %s: %s",
                name,
                outcome,
                error.code or type(error).__name__,
            )
            raise named from error
        except Malformed as wrong:
            # Stripe has answered, but what it says cannot be told: never taken for a no.
            log.warning("stripe %s: not what Stripe sends: %s", name, wrong)
            raise StripeUnreachable(f"Stripe's answer cannot be read: {wrong}") from wrong
        finally:
            self._count(name, outcome)

    def _read_clock(self, response: requests.Response, *_: Any, **__: Any) -> None:
        if date := response.headers.get("Date"):
            with suppress(ValueError):  # a proxy's odd date is no reason for a call to fail
                self.clock = parsedate_to_datetime(date).timestamp()


def _named(error: stripe.StripeError) -> Exception:
    """What a failure of the library means for the shop."""
    status = error.http_status or 0
    message = error.user_message or str(error)
    if status >= 500:
        replayed = (error.headers or {}).get("idempotent-replayed") == "true"
        return StripeSpent(message) if replayed else StripeUnreachable(message)
    # The library leaves the code of a 409 in the body.
    if status == 409 and "idempotency_key_in_use" in {error.code, getattr(error.error, "code", "")}:
        return StripeBusy(message)
    if status in {409, 429} or not 400 <= status < 500:
        return StripeUnreachable(message)
    if isinstance(error, stripe.IdempotencyError):
        return StripeKeyMismatch(message)
    return StripeRefused(message, error.code or "", status)


def _harmless_keys() -> tuple[object, ...]:
    return (*range(1, HARMLESS_KEYS), uuid4())


def _plain(found: object) -> dict[str, Any]:
    if not isinstance(found, stripe.StripeObject):
        raise Malformed("the answer is no object")
    return found.to_dict()


def _each(page: Any) -> Iterator[dict[str, Any]]:
    """All that a list holds, page by page. One without its entries is not an empty one."""
    while True:
        shown = _plain(page)
        if not isinstance(page, stripe.ListObject) or not isinstance(shown.get("data"), list):
            raise Malformed("the answer is no list")
        yield from map(_plain, page.data)
        if shown.get("has_more") is False:
            return
        if shown.get("has_more") is not True or not shown["data"] or not line(shown, "url"):
            raise Malformed("the answer does not say what follows it")
        page = page.next_page()


def _no_constant(name: str) -> None:
    """JSON has no NaN and no Infinity, though Python reads them."""
    raise ValueError(name)


def _replayed(made: Any) -> bool:
    response = made.last_response
    return response is not None and response.headers.get("idempotent-replayed") == "true"

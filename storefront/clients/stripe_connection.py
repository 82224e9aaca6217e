"""The line to Stripe: one connection, and a name for every way in which a call can go wrong.

Every failure is one of four: ``StripeRefused`` (a clear no), ``StripeUnreachable`` (unknown: ask again
with the same key), ``StripeSpent`` (the key replays a saved 5xx for ever: look, then go on with
another) and ``StripeKeyMismatch`` (the key was used with other parameters: look what it made).
https://docs.stripe.com/api/idempotent_requests
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from uuid import uuid4

import requests
import stripe
from requests.adapters import HTTPAdapter

from storefront.domain.errors import (
    StripeBusy,
    StripeKeyMismatch,
    StripeRefused,
    StripeSpent,
    StripeUnreachable,
)
from storefront.domain.fields import Malformed, line

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

log = logging.getLogger(__name__)

T = TypeVar("T")


class Connection:
    """One account's connection to Stripe. Safe to share between threads and greenlets."""

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

    def _made(
        self,
        name: str,
        create: Callable[..., Any],
        params: Mapping[str, Any],
        key: str,
        read: Callable[[dict[str, Any]], T],
    ) -> tuple[T, bool]:
        """What was made, and whether it is a replay, which shows the old body."""
        for pause in (*BUSY_SECONDS, None):
            try:
                with self._call(name):
                    made = create(dict(params), {"idempotency_key": key})
                    return read(plain(made)), replayed(made)
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
    replayed = (error.headers or {}).get("idempotent-replayed") == "true"
    if status >= 500:
        return StripeSpent(message) if replayed else StripeUnreachable(message)
    # The library leaves the code of a 409 in the body.
    if status == 409 and "idempotency_key_in_use" in {error.code, getattr(error.error, "code", "")}:
        return StripeBusy(message)
    if status in {409, 429} or not 400 <= status < 500:
        return StripeUnreachable(message)
    if isinstance(error, stripe.IdempotencyError):
        return StripeKeyMismatch(message)
    return StripeRefused(message, error.code or "", status, replayed=replayed)


def harmless_keys() -> tuple[object, ...]:
    return (*range(1, HARMLESS_KEYS), uuid4())


def plain(found: object) -> dict[str, Any]:
    if not isinstance(found, stripe.StripeObject):
        raise Malformed("the answer is no object")
    return found.to_dict()


def each(page: Any) -> Iterator[dict[str, Any]]:
    """All that a list holds, page by page. One without its entries is not an empty one."""
    while True:
        shown = plain(page)
        if not isinstance(page, stripe.ListObject) or not isinstance(shown.get("data"), list):
            raise Malformed("the answer is no list")
        yield from map(plain, page.data)
        if shown.get("has_more") is False:
            return
        if shown.get("has_more") is not True or not shown["data"] or not line(shown, "url"):
            raise Malformed("the answer does not say what follows it")
        page = page.next_page()


def replayed(made: Any) -> bool:
    response = made.last_response
    return response is not None and response.headers.get("idempotent-replayed") == "true"

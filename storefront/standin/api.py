"""One API request from arrival to answer: authorisation, check, idempotency, effect, faults."""

import json
import logging
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.handlers import format_date_time

import gevent

from . import API_VERSION, browser, forms, keys, routes
from .account import Account, Cause
from .connections import drop
from .errors import StripeError, server_error
from .expansion import expanded
from .faults import Fault, Faults
from .idempotency import Answer
from .identifiers import new_id
from .request_log import Entry, RequestLog
from .state import Json
from .upkeep import sweep

logger = logging.getLogger(__name__)
LARGEST_BODY = 1024 * 1024
REASONS = {
    200: "OK", 204: "No Content", 400: "Bad Request", 401: "Unauthorized", 402: "Payment Required",
    403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 409: "Conflict",
    413: "Content Too Large", 429: "Too Many Requests", 500: "Internal Server Error",
}  # fmt: skip
Environ = dict[str, Any]
Finder = Callable[[str, str], tuple[routes.Route, tuple[str, ...]]]


class Api:
    """The WSGI application under /v1."""

    def __init__(self, account: Account, faults: Faults, log: RequestLog) -> None:
        self.account = account
        self.faults = faults
        self.log = log

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Answers one request, or drops its connection when a fault says so."""
        call = Call(environ)
        if call.method == "OPTIONS":
            return asked_first(call, start_response)
        entry = self.log.add(
            Entry(
                call.method,
                call.path,
                {},
                call.key,
                call.id,
                self.account.clock.time(),
            )
        )
        answer, replayed = self.answered(call, entry)
        if answer is None:
            entry.status = 0
            drop(environ)
            return []
        entry.status, entry.replayed = answer.status, replayed
        headers = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(answer.body))),
            ("Date", format_date_time(self.account.clock.time())),
            ("Request-Id", call.id),
            ("Stripe-Version", environ.get("HTTP_STRIPE_VERSION", API_VERSION)),
            ("Cache-Control", "no-cache, no-store"),
            *browser.cors(call.method, call.path),
        ]
        if call.key is not None:
            headers += [
                ("Idempotency-Key", printable(call.key)),
                ("Original-Request", answer.request),
            ]
        if replayed:
            headers.append(("Idempotent-Replayed", "true"))
        if answer.status == 401:
            headers.append(("WWW-Authenticate", 'Bearer realm="Stripe"'))
        start_response(f"{answer.status} {REASONS.get(answer.status, 'Error')}", headers)
        return [answer.body]

    def answered(self, call: "Call", entry: Entry) -> tuple[Answer | None, bool]:
        """The answer (None for a dropped connection) and whether it is a replay."""
        try:
            call.read()
            find, given = call.decoded()
            found = find(call.method, call.path)
            entry.params = given
            call.canonical = json.dumps(given, sort_keys=True)
            if call.key is None:
                return self.faulted(call, entry, *found, given), False
            now = self.account.clock.now()
            replay = self.account.answers.saved(call.key, call.path, call.canonical, now)
            self.account.answers.enter(call.key)
            try:
                if replay is not None:
                    return self.replayed(call, entry, replay), True
                return self.faulted(call, entry, *found, given), False
            finally:
                self.account.answers.leave(call.key)
        except StripeError as error:
            return call.error(error), False

    def replayed(self, call: "Call", entry: Entry, replay: Answer) -> Answer | None:
        """The saved answer, unless the network has other plans."""
        self.wait()
        fault = self.meet(call, entry)
        if fault and fault.kind.startswith(("timeout", "reset")):
            hold(fault)
            return None
        if fault and fault.kind == "slow":
            gevent.sleep(fault.delay_ms / 1000)
        return replay

    def faulted(
        self, call: "Call", entry: Entry, route: routes.Route, ids: tuple[str, ...], given: Json
    ) -> Answer | None:
        """Runs a call, with what a planned fault does to it before and after."""
        self.wait()
        fault = self.meet(call, entry)
        kind = fault.kind if fault else None
        if fault is None:
            return self.run(call, route, ids, given)
        if kind == "rate_limited":
            raise StripeError(
                "Request rate limit exceeded. Learn more about rate limits here "
                "https://stripe.com/docs/rate-limits.",
                status=429,
                code="rate_limit",
                kept=False,
            )
        if kind == "error_500_unsaved":
            raise server_error()
        if kind == "error_500_saved":
            return self.run(call, route, ids, given, fault=fault)
        if kind == "slow":
            gevent.sleep(fault.delay_ms / 1000)
            return self.run(call, route, ids, given)
        if kind in ("timeout_after", "reset_after"):
            self.run(call, route, ids, given)
        hold(fault)
        return None

    def meet(self, call: "Call", entry: Entry) -> Fault | None:
        """The fault planned for this call, noted in the log."""
        fault = self.faults.take(call.method, call.path)
        entry.fault = fault.kind if fault else None
        return fault

    def wait(self) -> None:
        """The way to Stripe and back."""
        if self.faults.latency_ms:
            gevent.sleep(self.faults.latency_ms / 1000)

    def run(
        self,
        call: "Call",
        route: routes.Route,
        ids: tuple[str, ...],
        given: Json,
        fault: Fault | None = None,
    ) -> Answer:
        """Executes a call; its effect, its events and its saved answer are one transaction."""
        account = self.account
        sweep(account)
        try:
            with account.transaction(Cause(call.id, call.key)):
                try:
                    checked = route.check(given)
                    paths = checked.pop("expand", [])
                    if fault and not fault.effect:
                        raise server_error()
                    result = route.handler(account, checked, *ids)
                    body = encode(expanded(account, result, paths))
                    if fault:
                        raise server_error()
                    answer = Answer(call.id, 200, body)
                except StripeError as error:
                    if not error.kept:
                        raise
                    answer = call.error(error)
                if call.key is not None:
                    account.answers.save(
                        call.key, call.path, call.canonical, answer, account.clock.now()
                    )
        except StripeError as error:
            return call.error(error)
        except Exception:
            logger.exception("%s %s failed", call.method, call.path)
            return call.error(server_error())
        account.deliveries.wake.set()
        return answer


class Call:
    """What a request says."""

    def __init__(self, environ: Environ) -> None:
        self.environ = environ
        self.id = new_id("req")
        self.method: str = environ["REQUEST_METHOD"]
        self.path = str(environ["PATH_INFO"]).rstrip("/")
        key = environ.get("HTTP_IDEMPOTENCY_KEY") if self.method == "POST" else None
        self.key: str | None = key or None
        self.text = ""
        self.canonical = ""

    def read(self) -> None:
        """Reads the parameters: of the body for POST, of the query for the rest."""
        self.text = self.environ.get("QUERY_STRING", "")
        if self.method != "POST":
            return
        body = self.environ["wsgi.input"].read(LARGEST_BODY + 1)
        if len(body) > LARGEST_BODY:
            raise StripeError("The request is too large.", status=413, kept=False)
        try:
            self.text = body.decode()
        except UnicodeDecodeError:
            raise StripeError("Invalid UTF-8 in request body.", kept=False) from None

    def decoded(self) -> tuple[Finder, Json]:
        """Where to look for the call, by who makes it, and its parameters.

        A browser may send its key as the parameter ``key`` too, which spares it a preflight.
        """
        key = keys.given(self.environ.get("HTTP_AUTHORIZATION", ""))
        if key:
            keys.is_publishable(key)  # what carries no key of ours is not read any further
        given = forms.decode(self.text)
        if not key and str(given.get("key", "")).startswith(keys.PUBLISHABLE):
            key = given["key"]
        if keys.is_publishable(key):
            given.pop("key", None)
            return browser.find, given
        return routes.find, given

    def error(self, error: StripeError) -> Answer:
        """The answer that refuses."""
        fields = dict(error.fields)
        fields["request_log_url"] = f"https://dashboard.stripe.com/test/logs/{self.id}"
        return Answer(self.id, error.status, encode({"error": fields}))


def asked_first(call: Call, start_response: Any) -> Iterable[bytes]:
    """Answers a browser that asks whether a page elsewhere may make a call (CORS preflight)."""
    headers = browser.preflight(call.path)
    status = 204 if headers else 404
    start_response(f"{status} {REASONS[status]}", [*headers, ("Content-Length", "0")])
    return []


def hold(fault: Fault) -> None:
    """Keeps the connection open for as long as a fault says, then lets it be dropped."""
    if fault.kind.startswith("timeout"):
        gevent.sleep(fault.delay_ms / 1000)


def encode(answer: Json) -> bytes:
    """JSON for the wire."""
    return json.dumps(answer, separators=(",", ":")).encode()


def printable(key: str) -> str:
    """A key fit for a header."""
    return "".join(char if " " <= char <= "~" else "?" for char in key)

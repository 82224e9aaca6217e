"""The client speaks Stripe's protocol, and every way in which a call can fail has its one name."""

import json
import re
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
import stripe as library

from storefront.clients import stripe_connection
from storefront.clients.stripe_api import Stripe
from storefront.clients.stripe_connection import API_VERSION
from storefront.domain.errors import (
    SignatureInvalid,
    StripeError,
    StripeKeyMismatch,
    StripeRefused,
    StripeSpent,
    StripeUnreachable,
)
from storefront.domain.stripe_account import Endpoint, Standing, TaxSettings
from tests.clients.wire import Answer, Wire, listening
from tests.fakes import objects
from tests.fakes.description import load, wanted
from tests.fakes.products import PRICE, PRODUCT
from tests.harness import free_port

REPLAYED = {"Idempotent-Replayed": "true"}
SESSION = objects.session("cs_1", wanted(), created=1795000000, livemode=False)


def error(
    kind: str = "invalid_request_error", code: str | None = None, message: str = "no"
) -> dict[str, Any]:
    found = {"type": kind, "message": message}
    return {"error": found | ({"code": code} if code else {})}


@pytest.fixture
def wire() -> Iterator[Wire]:
    with listening() as wire:
        yield wire


@pytest.fixture
def counted() -> list[tuple[str, str]]:
    """Name and outcome of each call."""
    return []


@pytest.fixture
def stripe(
    wire: Wire, counted: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stripe]:
    monkeypatch.setattr(library.HTTPClient, "INITIAL_DELAY", 0)
    monkeypatch.setattr(stripe_connection, "TIMEOUT_SECONDS", 1.5)
    client = Stripe(
        "sk_test_x",
        api_base=wire.url,
        webhook_secrets=("whsec_x",),
        count=lambda call, outcome: counted.append((call, outcome)),
    )
    yield client
    client._client._requestor._client._session.close()  # type: ignore[attr-defined]


def test_a_session_is_asked_for_as_stripe_wants_it(
    stripe: Stripe, wire: Wire, counted: list[tuple[str, str]]
) -> None:
    wire.plan(Answer(body=SESSION))
    made = stripe.create_session(wanted(), "order:o1:session:1")
    assert (made.session, made.session_status, made.amount) == ("cs_1", "open", 5000)
    assert (made.order, made.shop, made.url) == ("o1", "test", SESSION["url"])
    [request] = wire.requests
    assert (request.method, request.path) == ("POST", "/v1/checkout/sessions")
    assert request.headers["idempotency-key"] == "order:o1:session:1"
    assert request.headers["stripe-version"] == API_VERSION
    assert request.headers["authorization"] == "Bearer sk_test_x"
    assert request.body["line_items[0][price_data][unit_amount]"] == "2500"
    assert request.body["metadata[order]"] == "o1"
    assert request.body["payment_intent_data[metadata][shop]"] == "test"
    assert counted == [("session_create", "ok")]


def test_nothing_of_one_call_is_told_with_the_next(stripe: Stripe, wire: Wire) -> None:
    headers = {"Request-Id": "req_1"}
    wire.plan(Answer(body=SESSION, headers=headers), Answer(body=SESSION, headers=headers))
    stripe.session("cs_1")
    stripe.session("cs_1")
    assert not any("x-stripe-client-telemetry" in r.headers for r in wire.requests)


def test_a_replayed_creation_is_answered_with_what_the_session_is_now(
    stripe: Stripe, wire: Wire
) -> None:
    now = {**SESSION, "status": "expired", "url": None}
    wire.plan(Answer(body=SESSION, headers=REPLAYED), Answer(body=now))
    assert stripe.create_session(wanted(), "k").session_status == "expired"
    assert wire.requests[1].path == "/v1/checkout/sessions/cs_1"
    assert wire.requests[1].query == {"expand[0]": "payment_intent.latest_charge"}


def test_a_session_is_read_with_its_payment(stripe: Stripe, wire: Wire) -> None:
    intent = objects.intent("pi_1", SESSION, {}, created=1)
    wire.plan(Answer(body={**SESSION, "payment_intent": {**intent, "status": "succeeded"}}))
    found = stripe.session("cs_1")
    assert (found.payment_intent, found.intent_status) == ("pi_1", "succeeded")


def test_a_payment_is_read(stripe: Stripe, wire: Wire) -> None:
    wire.plan(Answer(body=objects.intent("pi_1", SESSION, {}, created=1)))
    found = stripe.intent("pi_1")
    assert (found.payment_intent, found.intent_status) == ("pi_1", "requires_payment_method")
    assert wire.requests[0].path == "/v1/payment_intents/pi_1"


def test_a_session_is_ended_under_a_key_of_its_own(stripe: Stripe, wire: Wire) -> None:
    wire.plan(Answer(body={**SESSION, "status": "expired", "url": None}))
    assert stripe.expire_session("cs_1").session_status == "expired"
    [request] = wire.requests
    assert request.path == "/v1/checkout/sessions/cs_1/expire"
    assert request.headers["idempotency-key"] == "session:cs_1:expire:1"


def test_a_spent_key_for_ending_is_followed_by_the_next(stripe: Stripe, wire: Wire) -> None:
    broken = Answer(500, error("api_error"), REPLAYED | {"Stripe-Should-Retry": "false"})
    wire.plan(broken, broken, Answer(body={**SESSION, "status": "expired", "url": None}))
    assert stripe.expire_session("cs_1").session_status == "expired"
    keys = [request.headers["idempotency-key"] for request in wire.requests]
    assert keys == [f"session:cs_1:expire:{n}" for n in (1, 2, 3)]


def test_an_old_no_to_ending_is_followed_by_the_next_key(stripe: Stripe, wire: Wire) -> None:
    """What was on its way then may be open by now."""
    old = Answer(400, error("invalid_request_error"), REPLAYED)
    intent = objects.intent("pi_1", SESSION, {}, created=1)
    wire.plan(old, old, Answer(body={**intent, "status": "canceled"}))
    assert stripe.cancel_intent("pi_1").intent_status == "canceled"
    keys = [request.headers["idempotency-key"] for request in wire.requests]
    assert keys == [f"void:pi_1:{n}" for n in (1, 2, 3)]


def test_a_new_no_to_ending_counts(stripe: Stripe, wire: Wire) -> None:
    wire.plan(Answer(400, error("invalid_request_error")))
    with pytest.raises(StripeRefused):
        stripe.cancel_intent("pi_1")


def test_ending_says_so_when_every_key_is_spent(stripe: Stripe, wire: Wire) -> None:
    broken = Answer(500, error("api_error"), REPLAYED | {"Stripe-Should-Retry": "false"})
    wire.plan(*[broken] * 5)
    with pytest.raises(StripeSpent):
        stripe.expire_session("cs_1")


def test_ending_goes_on_with_a_key_that_nobody_used_before(stripe: Stripe, wire: Wire) -> None:
    broken = Answer(500, error("api_error"), REPLAYED | {"Stripe-Should-Retry": "false"})
    for _ in range(2):
        wire.plan(*[broken] * 5)
        with pytest.raises(StripeSpent):
            stripe.expire_session("cs_1")
    keys = [request.headers["idempotency-key"] for request in wire.requests]
    assert keys[:4] == keys[5:9]
    assert keys[4] != keys[9]


def listing(*found: dict[str, Any], more: bool = False) -> dict[str, Any]:
    return {"object": "list", "data": list(found), "has_more": more, "url": "/v1/any"}


def test_sessions_are_listed_page_by_page(stripe: Stripe, wire: Wire) -> None:
    second = {**SESSION, "id": "cs_2"}
    first = listing(SESSION, more=True) | {"url": "/v1/checkout/sessions"}
    wire.plan(Answer(body=first), Answer(body=listing(second)))
    found = list(stripe.sessions_between(100, 200))
    assert [payment.session for payment in found] == ["cs_1", "cs_2"]
    assert wire.requests[0].query == {
        "created[gte]": "100",
        "created[lte]": "200",
        "limit": "100",
        "expand[0]": "data.payment_intent",
    }
    assert wire.requests[1].query["starting_after"] == "cs_1"


def test_stripe_is_asked_whether_it_ever_said_that_a_session_is_over(
    stripe: Stripe, wire: Wire
) -> None:
    over = objects.event("evt_1", "checkout.session.expired", SESSION, created=150, livemode=False)
    wire.plan(Answer(body=listing(over)), Answer(body=listing(over)), Answer(body=listing()))
    assert stripe.told_of_end("cs_1", 100)
    assert not stripe.told_of_end("cs_2", 100)
    assert not stripe.told_of_end("cs_1", 100)
    assert wire.requests[0].query == {
        "type": "checkout.session.expired",
        "created[gte]": "100",
        "limit": "100",
    }


def test_a_listing_that_breaks_off_is_no_whole_listing(stripe: Stripe, wire: Wire) -> None:
    wire.plan(Answer(body=listing(SESSION, more=True)), Answer(500), Answer(500))
    with pytest.raises(StripeUnreachable):
        list(stripe.sessions_between(100, 200))


CHARGE = {
    "id": "ch_1",
    "amount": 2500,
    "currency": "usd",
    "livemode": False,
    "payment_intent": "pi_1",
}


def test_refunds_are_listed_and_made(stripe: Stripe, wire: Wire) -> None:
    refund = objects.refund("re_1", CHARGE, 700, "pending", {"reason": "sold_out"}, created=1)
    wire.plan(Answer(body=listing(refund)), Answer(body=listing(refund)), Answer(body=refund))
    [found] = stripe.refunds("pi_1")
    assert (found.id, found.amount, found.status) == ("re_1", 700, "pending")
    [since] = stripe.refunds_between(100, 200)
    made = stripe.create_refund("pi_1", amount=700, metadata={"order": "o1"}, key="refund:pi_1")
    assert found == since == made
    assert wire.requests[0].query == {"payment_intent": "pi_1", "limit": "100"}
    assert wire.requests[2].body == {
        "payment_intent": "pi_1",
        "amount": "700",
        "metadata[order]": "o1",
        "reason": "requested_by_customer",
    }
    assert wire.requests[2].headers["idempotency-key"] == "refund:pi_1"


def test_what_no_endpoint_has_taken_is_listed_by_what_it_was_about(
    stripe: Stripe, wire: Wire
) -> None:
    event = {"id": "evt_1", "object": "event", "data": {"object": {"id": "cs_1"}}}
    wire.plan(Answer(body=listing(event)))
    assert list(stripe.undelivered(["checkout.session.completed", "refund.created"])) == ["cs_1"]
    assert wire.requests[0].query == {
        "types[0]": "checkout.session.completed",
        "types[1]": "refund.created",
        "delivery_success": "false",
        "limit": "100",
    }


def test_the_key_is_proven_and_the_webhooks_are_listed(stripe: Stripe, wire: Wire) -> None:
    balance = {"object": "balance", "available": [], "pending": []}
    endpoint = {"id": "we_1", "object": "webhook_endpoint", "url": "u", "status": "enabled"}
    endpoint["enabled_events"] = ["refund.created", "*"]  # type: ignore[assignment]
    wire.plan(
        Answer(body=balance | {"livemode": False}),
        Answer(body=balance | {"livemode": True}),
        Answer(body=listing(endpoint)),
    )
    assert [stripe.mode(), stripe.mode()] == ["test", "live"]
    assert stripe.webhook_endpoints() == [
        Endpoint("u", "enabled", frozenset({"refund.created", "*"}))
    ]


def test_what_the_account_is_set_to_is_read(stripe: Stripe, wire: Wire) -> None:
    account = {"id": "acct_1", "object": "account", "charges_enabled": True}
    missing = {"pending": {"missing_fields": ["head_office", "defaults.tax_code"]}}
    settings = {"object": "tax.settings", "status": "pending", "status_details": missing}
    thing = {"id": "x_1", "object": "thing"}
    wire.plan(
        Answer(body=account | {"capabilities": {"card_payments": "inactive"}}),
        Answer(body=account),
        Answer(body=settings),
        Answer(body=listing(thing, thing)),
        Answer(body=listing(thing)),
        Answer(body=listing()),
    )
    assert [stripe.standing(), stripe.standing()] == [
        Standing(True, "inactive"),
        Standing(True, ""),
    ]
    assert stripe.tax_settings() == TaxSettings("pending", ("head_office", "defaults.tax_code"), 2)
    assert [stripe.takes_codes(), stripe.takes_codes()] == [True, False]
    assert [request.path for request in wire.requests] == [
        *["/v1/account"] * 2,
        "/v1/tax/settings",
        "/v1/tax/registrations",
        *["/v1/promotion_codes"] * 2,
    ]


@pytest.mark.parametrize(
    ("call", "body"),
    [
        (lambda s: s.standing(), {"id": "acct_1", "object": "account"}),
        (lambda s: s.tax_settings(), {"object": "tax.settings"}),
        (
            lambda s: s.webhook_endpoints(),
            listing({"id": "we_1", "object": "webhook_endpoint", "enabled_events": "*"}),
        ),
    ],
)
def test_an_account_that_does_not_say_how_it_is_set_up_is_no_word_about_it(
    stripe: Stripe, wire: Wire, call: Callable[[Stripe], object], body: Any
) -> None:
    wire.plan(Answer(body=body))
    with pytest.raises(StripeUnreachable):
        call(stripe)


ONCE = {"Stripe-Should-Retry": "false"}


@pytest.mark.parametrize(
    ("answers", "named", "counted_as"),
    [
        ([Answer(400, error(code="resource_missing"))], StripeRefused, "refused"),
        ([Answer(401, error())], StripeRefused, "refused"),
        ([Answer(402, error("card_error", "card_declined"))], StripeRefused, "refused"),
        ([Answer(403, error())], StripeRefused, "refused"),
        ([Answer(404, error(code="resource_missing"))], StripeRefused, "refused"),
        ([Answer(400, error("idempotency_error"))], StripeKeyMismatch, "unknown"),
        ([Answer(429, error("rate_limit_error"))], StripeUnreachable, "unknown"),
        ([Answer(409, error())] * 2, StripeUnreachable, "unknown"),
        ([Answer(409, error("idempotency_error"))] * 2, StripeUnreachable, "unknown"),
        ([Answer(500, error("api_error"))] * 2, StripeUnreachable, "unknown"),
        ([Answer(500, error("api_error"), ONCE)], StripeUnreachable, "unknown"),
        ([Answer(503, "<html>busy</html>")] * 2, StripeUnreachable, "unknown"),
        (
            [Answer(500, error("api_error")), Answer(500, error("api_error"), REPLAYED)],
            StripeSpent,
            "unknown",
        ),
        ([Answer(500, error("api_error"), REPLAYED | ONCE)], StripeSpent, "unknown"),
        ([Answer(200, "<html>a proxy's page</html>")], StripeUnreachable, "unknown"),
        ([Answer(200, '{"id": "cs_')], StripeUnreachable, "unknown"),
        ([Answer(hangs_up=True)] * 2, StripeUnreachable, "unknown"),
        ([], StripeUnreachable, "unknown"),
    ],
    ids=lambda value: (
        "+".join(str(a.status) for a in value) or "silence" if isinstance(value, list) else None
    ),
)
def test_each_failure_has_its_one_name(
    stripe: Stripe,
    wire: Wire,
    counted: list[tuple[str, str]],
    answers: list[Answer],
    named: type[StripeError],
    counted_as: str,
) -> None:
    wire.plan(*answers)
    with pytest.raises(StripeError) as failed:
        stripe.create_session(wanted(), "k")
    assert type(failed.value) is named
    assert counted == [("session_create", counted_as)]
    assert len(wire.requests) == (len(answers) or 2)


def busy() -> Answer:
    """The key is in flight: https://docs.stripe.com/error-codes#idempotency-key-in-use."""
    return Answer(409, error(code="idempotency_key_in_use"), ONCE)


def test_a_second_click_waits_for_the_first_one_s_session(
    stripe: Stripe, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(stripe_connection.time, "sleep", pauses.append)
    wire.plan(busy(), busy(), Answer(body=SESSION, headers=REPLAYED), Answer(body=SESSION))
    assert stripe.create_session(wanted(), "k").session == "cs_1"
    assert pauses == [0.5, 1]


def test_a_second_click_waits_no_longer_than_a_shopper_would(
    stripe: Stripe, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(stripe_connection.time, "sleep", pauses.append)
    wire.plan(*[busy() for _ in range(4)])
    with pytest.raises(StripeUnreachable):
        stripe.create_session(wanted(), "k")
    assert pauses == [0.5, 1, 2]


def test_a_refusal_tells_its_code_and_status(stripe: Stripe, wire: Wire) -> None:
    wire.plan(Answer(400, error(code="charge_already_refunded", message="Already refunded.")))
    with pytest.raises(StripeRefused) as refused:
        stripe.create_refund("pi_1", amount=1, metadata={}, key="k")
    assert (refused.value.code, refused.value.status) == ("charge_already_refunded", 400)


@pytest.mark.parametrize(
    "first", [Answer(500, error("api_error")), Answer(hangs_up=True), Answer(409, error())]
)
def test_a_call_is_repeated_once_under_the_same_key(
    stripe: Stripe, wire: Wire, first: Answer
) -> None:
    wire.plan(first, Answer(body=SESSION))
    assert stripe.create_session(wanted(), "k").session == "cs_1"
    one, other = wire.requests
    assert one.headers["idempotency-key"] == other.headers["idempotency-key"] == "k"
    assert one.raw == other.raw


def test_an_address_where_nobody_listens_is_unreachable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(library.HTTPClient, "INITIAL_DELAY", 0)
    nobody = Stripe("sk_test_x", api_base=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(StripeUnreachable):
        nobody.session("cs_1")


def test_stripe_s_clock_is_read_from_every_answer(stripe: Stripe, wire: Wire) -> None:
    assert stripe.clock is None
    ok = Answer(body=SESSION, headers={"Date": "Tue, 01 Dec 2026 10:00:00 GMT"})
    refused = Answer(404, error(), {"Date": "Tue, 01 Dec 2026 10:00:05 GMT"})
    wire.plan(ok, refused)
    stripe.session("cs_1")
    first = stripe.clock
    with pytest.raises(StripeRefused):
        stripe.session("cs_1")
    assert first is not None
    assert stripe.clock == first + 5


def test_a_date_that_is_none_spoils_no_call(stripe: Stripe, wire: Wire) -> None:
    wire.plan(Answer(body=SESSION, headers={"Date": "yesterday"}))
    assert stripe.session("cs_1").session == "cs_1"


def test_what_counts_calls_is_told_of_each_even_when_it_fails(
    stripe: Stripe, wire: Wire, counted: list[tuple[str, str]]
) -> None:
    wire.plan(Answer(body=SESSION), Answer(404, error()), Answer(body=listing()))
    stripe.session("cs_1")
    with pytest.raises(StripeRefused):
        stripe.intent("pi_1")
    stripe.refunds("pi_1")
    assert counted == [
        ("session_retrieve", "ok"),
        ("intent_retrieve", "refused"),
        ("refund_list", "ok"),
    ]


def test_an_event_is_taken_only_with_a_signature_of_ours(stripe: Stripe) -> None:
    body = json.dumps({"id": "evt_1", "type": "x", "data": {"object": {}}})
    header = library.WebhookSignature.generate_signature_header
    assert stripe.event(body.encode(), header(body, "whsec_x"))["id"] == "evt_1"
    for signature in ("", header(body, "whsec_other"), header(body + " ", "whsec_x")):
        with pytest.raises(SignatureInvalid):
            stripe.event(body.encode(), signature)


def test_no_event_is_taken_while_no_secret_is_set() -> None:
    body = json.dumps({"id": "evt_1", "type": "x", "data": {"object": {}}})
    header = library.WebhookSignature.generate_signature_header(body, "")
    with pytest.raises(SignatureInvalid):
        Stripe("sk_test_x").event(body.encode(), header)


@pytest.fixture(scope="module")
def description() -> ModuleType | None:
    """Stripe's own description of its API, where it lies beside the project."""
    return load()


THING = {**PRODUCT, "id": "p", "name": "P", "metadata": {}, "livemode": False}
COST = {**PRICE, "id": "price_1", "product": "p", "currency": "usd", "unit_amount": 1, "created": 1}
ENTRY = objects.balance_entry("txn_1", {**CHARGE, "created": 1}, 2500, fee=105)
SHOWN = {"description": "D", "images": ["https://shop.example/a.svg"], "metadata": {"sku": "a"}}


CALLS: list[tuple[Callable[[Stripe], object], Any, Any]] = [
    (
        lambda s: s.create_session(wanted(), "k"),
        SESSION,
        library.params.checkout.SessionCreateParams,
    ),
    (lambda s: s.session("cs_1"), SESSION, library.params.checkout.SessionRetrieveParams),
    (lambda s: s.expire_session("cs_1"), SESSION, library.params.checkout.SessionExpireParams),
    (
        lambda s: list(s.sessions_between(1, 2)),
        listing(SESSION),
        library.params.checkout.SessionListParams,
    ),
    (lambda s: s.told_of_end("cs_1", 1), listing(), library.params.EventListParams),
    (
        lambda s: s.intent("pi_1"),
        objects.intent("pi_1", SESSION, {}, created=1),
        library.params.PaymentIntentRetrieveParams,
    ),
    (lambda s: s.refunds("pi_1"), listing(), library.params.RefundListParams),
    (lambda s: list(s.refunds_between(1, 2)), listing(), library.params.RefundListParams),
    (
        lambda s: s.create_refund("pi_1", amount=1, metadata={"order": "o"}, key="k"),
        objects.refund("re_1", CHARGE, 1, "succeeded", {}, created=1),
        library.params.RefundCreateParams,
    ),
    (
        lambda s: s.create_session(
            wanted(
                line_items=[{"price": "price_1", "quantity": 2}],
                allowed_payment_method_types=["card"],
            ),
            "k",
        ),
        SESSION,
        library.params.checkout.SessionCreateParams,
    ),
    (
        lambda s: s.create_intent(
            {"amount": 1, "currency": "usd", "allowed_payment_method_types": ["card"]}, "k"
        ),
        objects.intent("pi_1", SESSION, {}, created=1),
        library.params.PaymentIntentCreateParams,
    ),
    (
        lambda s: s.create_product("p", {"name": "P", **SHOWN}, key="k"),
        THING,
        library.params.ProductCreateParams,
    ),
    (
        lambda s: s.update_product("p", {**SHOWN, "default_price": "price_1"}, key="k"),
        THING,
        library.params.ProductUpdateParams,
    ),
    (
        lambda s: s.update_product("p", {"description": "", "images": ""}, key="k"),
        THING,
        library.params.ProductUpdateParams,
    ),
    (lambda s: list(s.active_products()), listing(), library.params.ProductListParams),
    (lambda s: list(s.products(["p"])), listing(), library.params.ProductListParams),
    (
        lambda s: s.create_price(
            "p", unit_amount=1, currency="usd", metadata={"shop": "s"}, key="k"
        ),
        COST,
        library.params.PriceCreateParams,
    ),
    (lambda s: s.archive_price("price_1"), COST, library.params.PriceUpdateParams),
    (lambda s: s.prices("p"), listing(), library.params.PriceListParams),
    (lambda s: list(s.active_prices()), listing(), library.params.PriceListParams),
    (lambda s: s.webhook_endpoints(), listing(), library.params.WebhookEndpointListParams),
    (lambda s: s.takes_codes(), listing(), library.params.PromotionCodeListParams),
    (lambda s: list(s.undelivered(["x"])), listing(), library.params.EventListParams),
    (
        lambda s: list(s.entries_between(1, 2, after="txn_0", most=9)),
        listing(ENTRY),
        library.params.BalanceTransactionListParams,
    ),
    (lambda s: list(s.disputes_between(1, 2)), listing(), library.params.EventListParams),
    (
        lambda s: s.read_dispute("dp_1"),
        objects.dispute("dp_1", CHARGE, created=1),
        library.params.DisputeRetrieveParams,
    ),
]


@pytest.mark.parametrize(("call", "answer", "known"), CALLS)
def test_every_parameter_is_one_that_stripe_describes(
    stripe: Stripe,
    wire: Wire,
    description: ModuleType | None,
    call: Callable[[Stripe], object],
    answer: Any,
    known: Any,
) -> None:
    wire.plan(Answer(body=answer))
    call(stripe)
    [request] = wire.requests
    sent = request.body or request.query
    assert {name.partition("[")[0] for name in sent} <= set(known.__annotations__)
    described = not re.search("endpoints|balance_transactions|promotion_codes", request.path)
    if description and described:
        assert description.check_request(request.method, request.path, request.raw) == []

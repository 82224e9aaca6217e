"""Failures on request, and the log that shows them."""

import time
from typing import Any
from uuid import uuid4

import pytest
import requests
import stripe

from storefront.standin.faults import Fault, Faults
from tests.standin.conftest import Standin


def products_named(standin: Standin, name: str) -> int:
    listed = standin.client.v1.products.list({"limit": 100}).data
    return [p.name for p in listed].count(name)


def test_nothing_fails_unless_it_was_asked_to(standin: Standin):
    assert standin.ask("faults") == []
    assert standin.api("POST", "products", {"name": "x"}).ok


@pytest.mark.parametrize(("kind", "made"), [("reset_before", 0), ("reset_after", 1)])
def test_a_broken_connection_has_an_effect_or_none(standin: Standin, kind: str, made: int):
    name = uuid4().hex
    standin.control("faults", {"match": "POST /v1/products", "kind": kind})
    with pytest.raises(requests.ConnectionError):
        standin.api("POST", "products", {"name": name})
    assert products_named(standin, name) == made
    assert standin.ask("faults") == []


@pytest.mark.parametrize(("kind", "made"), [("timeout_before", 0), ("timeout_after", 1)])
def test_a_timeout_outlasts_the_client_with_an_effect_or_none(
    standin: Standin, kind: str, made: int
):
    name = uuid4().hex
    standin.control("faults", {"match": "POST /v1/products", "kind": kind, "delay_ms": 20_000})
    with pytest.raises(requests.Timeout):
        requests.post(
            f"{standin.url}/v1/products",
            data={"name": name},
            headers={"Authorization": "Bearer sk_test_x"},
            timeout=1,
        )
    assert products_named(standin, name) == made


def test_a_held_connection_ends_without_an_answer(standin: Standin):
    standin.control(
        "faults", {"match": "GET /v1/balance", "kind": "timeout_before", "delay_ms": 50}
    )
    with pytest.raises(requests.ConnectionError):
        standin.api("GET", "balance")


def test_a_slow_answer_is_an_answer(standin: Standin):
    standin.control("faults", {"match": "GET /v1/balance", "kind": "slow", "delay_ms": 300})
    answer = standin.api("GET", "balance")
    assert answer.ok
    assert answer.elapsed.total_seconds() >= 0.3


def test_a_rate_limit_is_a_429_that_no_key_keeps(standin: Standin):
    standin.control("faults", {"match": "POST /v1/products", "kind": "rate_limited"})
    options: Any = {"idempotency_key": str(uuid4())}
    with pytest.raises(stripe.RateLimitError) as caught:
        standin.client.v1.products.create({"name": "x"}, options)
    assert caught.value.json_body["error"]["code"] == "rate_limit"
    assert standin.client.v1.products.create({"name": "x"}, options).id


def test_a_fault_meets_as_many_calls_as_it_was_told(standin: Standin):
    standin.control("faults", {"match": "GET /v1/balance", "kind": "error_500_unsaved", "times": 2})
    statuses = [standin.api("GET", "balance").status_code for _ in range(4)]
    assert statuses == [500, 500, 200, 200]


def test_a_fault_without_an_end_lasts_until_it_is_cleared(standin: Standin):
    standin.control("faults", {"match": "* /v1/**", "kind": "error_500_unsaved", "times": None})
    assert {standin.api("GET", path).status_code for path in ("balance", "refunds/x")} == {500}
    standin.control("faults", method="DELETE")
    assert standin.api("GET", "balance").status_code == 200


@pytest.mark.parametrize(
    ("match", "method", "path", "meets"),
    [
        ("POST /v1/checkout/sessions", "POST", "/v1/checkout/sessions", True),
        ("POST /v1/checkout/sessions", "GET", "/v1/checkout/sessions", False),
        ("POST /v1/checkout/sessions", "POST", "/v1/checkout/sessions/cs_1/expire", False),
        ("POST /v1/checkout/sessions/*/expire", "POST", "/v1/checkout/sessions/cs_1/expire", True),
        ("POST /v1/checkout/sessions/{id}", "POST", "/v1/checkout/sessions/cs_1", True),
        ("POST /v1/checkout/sessions/*", "POST", "/v1/checkout/sessions/cs_1/expire", False),
        ("* /v1/refunds", "GET", "/v1/refunds", True),
        ("POST /v1/**", "POST", "/v1/payment_intents/pi_1/capture", True),
        ("POST /v1/a.b", "POST", "/v1/aXb", False),
    ],
)
def test_what_a_fault_meets(match: str, method: str, path: str, meets: bool):
    faults = Faults()
    faults.plan(Fault(match, "rate_limited"))
    assert (faults.take(method, path) is not None) is meets


@pytest.mark.parametrize(
    "body",
    [
        {"match": "POST /v1/products"},
        {"kind": "rate_limited"},
        {"match": "POST /v1/products", "kind": "earthquake"},
        {"match": "/v1/products", "kind": "rate_limited"},
        {"match": "POST /v1/products", "kind": "rate_limited", "times": 0},
        {"match": "POST /v1/products", "kind": "rate_limited", "times": True},
        {"match": "POST /v1/products", "kind": "slow", "delay_ms": -1},
        {"match": "POST /v1/products", "kind": "slow", "delay_ms": 10**9},
        {"match": "POST /v1/products", "kind": "slow", "effect": True},
        {"match": "POST /v1/products", "kind": "slow", "colour": "red"},
        {"match": 5, "kind": "slow"},
        ["POST /v1/products"],
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(standin: Standin, body: Any):
    answer = standin.http.post(f"{standin.url}/_standin/faults", json=body, timeout=30)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert standin.ask("faults") == []


def test_latency_delays_every_call(standin: Standin):
    standin.control("latency", {"ms": 200})
    started = time.monotonic()
    standin.api("GET", "balance")
    assert time.monotonic() - started >= 0.2


def test_the_log_tells_what_every_call_was_and_how_it_went(standin: Standin):
    standin.control("requests", method="DELETE")
    key = str(uuid4())
    for _ in range(2):
        standin.api("POST", "products", {"name": "Poster"}, {"Idempotency-Key": key})
    standin.control("faults", {"match": "GET /v1/balance", "kind": "reset_before"})
    with pytest.raises(requests.ConnectionError):
        standin.api("GET", "balance")
    standin.api("GET", "refunds/re_none")
    rows = standin.ask("requests")
    seen = [(r["method"], r["path"], r["status"], r["replayed"], r["fault"]) for r in rows]
    assert seen == [
        ("POST", "/v1/products", 200, False, None),
        ("POST", "/v1/products", 200, True, None),
        ("GET", "/v1/balance", 0, False, "reset_before"),
        ("GET", "/v1/refunds/re_none", 404, False, None),
    ]
    assert [r["idempotency_key"] for r in rows] == [key, key, None, None]
    assert rows[0]["params"] == {"name": "Poster"}
    assert abs(rows[0]["time"] - standin.now()) < 60

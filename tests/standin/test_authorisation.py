"""Who may call the API, and what every answer carries."""

from email.utils import parsedate_to_datetime

import pytest
import requests

from tests.standin.conftest import Standin


def test_a_call_without_a_key_is_refused_in_stripes_words(standin: Standin):
    answer = requests.get(f"{standin.url}/v1/balance", timeout=30)
    assert answer.status_code == 401
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert "You did not provide an API key" in answer.json()["error"]["message"]
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "header", ["Bearer pk_live_x", "Bearer ", "Basic !!!", "Digest sk_test_x", "Bearer x" * 9]
)
def test_a_key_that_is_not_secret_or_restricted_is_refused(standin: Standin, header: str):
    answer = standin.api("GET", "balance", headers={"Authorization": header})
    assert answer.status_code == 401


def test_a_refused_key_is_not_repeated_in_full(standin: Standin):
    key = "pk_live_0123456789abcdef0123456789"
    answer = standin.api("GET", "balance", headers={"Authorization": f"Bearer {key}"})
    assert "Invalid API Key provided" in answer.json()["error"]["message"]
    assert key not in answer.text


@pytest.mark.parametrize("key", ["sk_test_x", "rk_test_x", "sk_live_x"])
def test_secret_and_restricted_keys_are_taken_as_bearer_and_as_basic(standin: Standin, key: str):
    assert standin.api("GET", "balance", headers={"Authorization": f"Bearer {key}"}).ok
    with requests.Session() as session:
        assert session.get(f"{standin.url}/v1/balance", auth=(key, ""), timeout=30).ok


def test_every_answer_tells_stripes_time_its_request_and_the_version(standin: Standin):
    for path in ("balance", "refunds/re_none"):
        answer = standin.api("GET", path)
        told = parsedate_to_datetime(answer.headers["Date"]).timestamp()
        assert abs(told - standin.now()) <= 2
        assert answer.headers["Request-Id"].startswith("req_")
        assert answer.headers["Stripe-Version"] == "2026-10-28.endive"
    headers = {"Stripe-Version": "2026-09-30.dahlia"}
    assert standin.api("GET", "balance", headers=headers).headers["Stripe-Version"] == (
        "2026-09-30.dahlia"
    )


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "nonsense"), ("POST", "balance"), ("GET", ""), ("DELETE", "checkout/sessions/x")],
)
def test_an_unknown_call_is_an_unrecognized_url(standin: Standin, method: str, path: str):
    answer = standin.api(method, path)
    assert answer.status_code == 404
    assert "Unrecognized request URL" in answer.json()["error"]["message"]


def test_an_error_has_stripes_shape(standin: Standin):
    error = standin.api("GET", "refunds/re_none").json()["error"]
    assert error["type"] == "invalid_request_error"
    assert error["code"] == "resource_missing"
    assert error["message"] == "No such refund: 're_none'"
    assert error["param"] == "id"
    assert error["request_log_url"].startswith("https://dashboard.stripe.com/test/logs/req_")


def test_account_and_balance_answer(standin: Standin):
    assert standin.client.v1.accounts.retrieve_current().charges_enabled
    before = standin.client.v1.balance.retrieve()
    standin.paid_intent()
    after = standin.client.v1.balance.retrieve()

    def dollars(balance: object) -> int:
        rows = balance.available  # type: ignore[attr-defined]
        return sum(row.amount for row in rows if row.currency == "usd")

    assert dollars(after) - dollars(before) == 5000 - 175

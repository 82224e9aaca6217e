"""The API as a shopper's browser calls it: a publishable key, one client secret, two calls."""

from typing import Any
from urllib.parse import urlencode

import pytest
import requests
import stripe

from tests.standin import contract
from tests.standin.conftest import Endpoint, Json, Standin
from tests.standin.test_payment_intents import charge_of, create

KEY = "pk_test_of_these_tests"
SHOP = "http://shop.test"
VISIBLE = {
    "id", "object", "amount", "automatic_payment_methods", "canceled_at", "cancellation_reason",
    "capture_method", "client_secret", "confirmation_method", "created", "currency", "description",
    "last_payment_error", "livemode", "next_action", "payment_method",
    "payment_method_configuration_details", "payment_method_types", "processing", "receipt_email",
    "setup_future_usage", "shipping", "source", "status",
}  # fmt: skip


def call(
    standin: Standin, method: str, path: str, data: Any = None, key: str = KEY
) -> requests.Response:
    """One call by a page of the shop."""
    return requests.request(
        method,
        f"{standin.url}/v1/{path}",
        data=data if method == "POST" else None,
        params=data if method != "POST" else None,
        headers={"Authorization": f"Bearer {key}", "Origin": SHOP},
        timeout=30,
    )


def card(number: str = "4242424242424242", **more: Any) -> Json:
    """A card as the Payment Element sends it."""
    data = "payment_method_data"
    return {
        f"{data}[type]": "card",
        f"{data}[card][number]": number,
        f"{data}[card][exp_month]": "12",
        f"{data}[card][exp_year]": "2034",
        f"{data}[card][cvc]": "123",
        **more,
    }


def confirm(standin: Standin, intent: stripe.PaymentIntent, **params: Any) -> requests.Response:
    """Confirms as the Payment Element does."""
    return call(
        standin,
        "POST",
        f"payment_intents/{intent.id}/confirm",
        {"client_secret": intent.client_secret, **params},
    )


def test_a_browser_sees_its_intent_and_of_it_only_what_is_meant_for_it(standin: Standin):
    intent = create(standin, metadata={"order": "1"}, description="Two posters")
    answer = call(
        standin,
        "GET",
        f"payment_intents/{intent.id}",
        {"client_secret": intent.client_secret},
    )
    assert answer.status_code == 200, answer.text
    seen = answer.json()
    assert set(seen) == VISIBLE
    assert (seen["amount"], seen["description"]) == (5000, "Two posters")
    whole = standin.api("GET", f"payment_intents/{intent.id}").json()
    assert {name: whole[name] for name in VISIBLE} == seen
    mistakes = contract.object_mistakes(seen)
    assert all("required property" in m or "is missing" in m for m in mistakes), mistakes


def test_what_a_browser_expands_shows_no_more(standin: Standin):
    intent = create(standin)
    confirm(standin, intent, **card())
    seen = call(
        standin,
        "GET",
        f"payment_intents/{intent.id}",
        [
            ("client_secret", intent.client_secret),
            ("expand[]", "payment_method"),
            ("expand[]", "latest_charge"),
        ],
    ).json()
    assert seen["payment_method"]["card"]["last4"] == "4242"
    assert "latest_charge" not in seen


def test_the_key_may_be_a_parameter_as_stripe_js_sends_it(standin: Standin):
    intent = create(standin)
    url = f"{standin.url}/v1/payment_intents/{intent.id}"
    query = {"key": KEY, "client_secret": intent.client_secret}
    assert requests.get(url, params=query, timeout=30).json()["id"] == intent.id
    paid = requests.post(f"{url}/confirm", data={**query, **card()}, timeout=30)
    assert paid.json()["status"] == "succeeded"
    refused = requests.get(url, params={**query, "key": "sk_test_x"}, timeout=30)
    assert refused.status_code == 401


@pytest.mark.parametrize("ending", ["", "/confirm"])
def test_only_the_intents_own_secret_opens_it(standin: Standin, ending: str):
    intent, other = create(standin), create(standin)
    method = "POST" if ending else "GET"
    for secret in (f"{intent.id}_secret_guess", str(other.client_secret), "ä"):
        answer = call(
            standin,
            method,
            f"payment_intents/{intent.id}{ending}",
            {"client_secret": secret, **(card() if ending else {})},
        )
        assert answer.status_code == 400
        error = answer.json()["error"]
        assert (error["code"], error["param"]) == (
            "payment_intent_invalid_parameter",
            "client_secret",
        )
        assert "payment_intent" not in error
    without = call(standin, method, f"payment_intents/{intent.id}{ending}")
    assert without.json()["error"]["code"] == "parameter_missing"
    none = call(standin, method, f"payment_intents/pi_none{ending}", {"client_secret": "x"})
    assert (none.status_code, none.json()["error"]["code"]) == (404, "resource_missing")
    assert standin.client.v1.payment_intents.retrieve(intent.id).status == "requires_payment_method"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "payment_intents"),
        ("POST", "payment_intents"),
        ("POST", "payment_intents/{id}"),
        ("POST", "payment_intents/{id}/cancel"),
        ("POST", "payment_intents/{id}/capture"),
        ("POST", "refunds"),
        ("GET", "charges"),
        ("GET", "events"),
        ("GET", "checkout/sessions"),
        ("GET", "balance"),
    ],
)
def test_a_publishable_key_is_refused_everywhere_else(standin: Standin, method: str, path: str):
    intent = create(standin)
    answer = call(
        standin,
        method,
        path.format(id=intent.id),
        {"client_secret": intent.client_secret},
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "secret_key_required")
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert standin.client.v1.payment_intents.retrieve(intent.id).status == "requires_payment_method"
    with pytest.raises(stripe.PermissionError):
        stripe.StripeClient(
            KEY,
            base_addresses={"api": standin.url},  # type: ignore[typeddict-item]
        ).v1.balance.retrieve()


def test_pages_of_any_shop_may_make_the_two_calls_and_no_other(standin: Standin):
    def may(method: str, path: str) -> bool:
        answer = requests.options(
            f"{standin.url}/v1/{path}",
            headers={
                "Origin": SHOP,
                "Access-Control-Request-Method": method,
                "Access-Control-Request-Headers": "authorization",
            },
            timeout=30,
        )
        allowed = answer.headers.get("Access-Control-Allow-Methods", "").split(", ")
        open_to_all = answer.headers.get("Access-Control-Allow-Origin") == "*"
        header = answer.headers.get("Access-Control-Allow-Headers", "")
        return answer.ok and open_to_all and method in allowed and "Authorization" in header

    assert may("GET", "payment_intents/pi_1")
    assert may("POST", "payment_intents/pi_1/confirm")
    for method, path in (
        ("POST", "payment_intents/pi_1"),
        ("GET", "payment_intents"),
        ("POST", "payment_intents/pi_1/cancel"),
        ("POST", "refunds"),
    ):
        assert not may(method, path), path


def test_a_page_may_read_refusals_and_failures_too(standin: Standin):
    intent = create(standin)
    path = f"payment_intents/{intent.id}"
    wrong = call(standin, "GET", path, {"client_secret": "wrong"})
    assert wrong.headers["Access-Control-Allow-Origin"] == "*"
    standin.control("faults", {"match": "GET /v1/payment_intents/*", "kind": "error_500_unsaved"})
    failed = call(standin, "GET", path, {"client_secret": intent.client_secret})
    assert failed.status_code == 500
    assert failed.headers["Access-Control-Allow-Origin"] == "*"


def test_a_browser_pays_and_says_who_it_is(standin: Standin):
    intent = create(standin, metadata={"order": "1"})
    billing = "payment_method_data[billing_details]"
    params = card(
        receipt_email="ada@example.com",
        return_url="https://shop.test/orders/1",
        **{f"{billing}[name]": "Ada", f"{billing}[address][country]": "AT"},
    )
    answer = confirm(standin, intent, **params)
    assert answer.status_code == 200, answer.text
    paid = answer.json()
    assert set(paid) == VISIBLE
    assert (paid["status"], paid["receipt_email"]) == ("succeeded", "ada@example.com")
    charge = charge_of(standin, intent)
    assert charge.receipt_email == "ada@example.com"
    assert (charge.billing_details.name, charge.billing_details.email) == ("Ada", "ada@example.com")
    assert charge.billing_details.address
    assert charge.billing_details.address.country == "AT"
    assert standin.event_types(intent.id) == ["payment_intent.created", "payment_intent.succeeded"]
    known = {
        n: v
        for n, v in params.items()
        if not n.startswith(("payment_method_data[card]", "payment_method_data[type]"))
    }
    known["payment_method_data[type]"] = "link"  # the description knows every type but the card
    path = f"/v1/payment_intents/{intent.id}/confirm"
    assert contract.request_mistakes("POST", path, urlencode(known)) == []


def test_with_manual_capture_a_browser_only_authorises(standin: Standin):
    intent = create(standin, capture_method="manual")
    assert confirm(standin, intent, **card()).json()["status"] == "requires_capture"
    types = standin.event_types(intent.id)
    assert types[-1] == "payment_intent.amount_capturable_updated"
    again = confirm(standin, intent, **card())
    assert again.json()["error"]["code"] == "payment_intent_unexpected_state"
    captured = standin.client.v1.payment_intents.capture(intent.id)
    assert (captured.status, captured.amount_received) == ("succeeded", 5000)


@pytest.mark.parametrize(
    ("number", "code", "reason"),
    [
        ("4000000000000002", "card_declined", "generic_decline"),
        ("4000 0000 0000 9995", "card_declined", "insufficient_funds"),
        ("4111111111111111", "card_declined", "test_mode_live_card"),
        ("4242424242424241", "incorrect_number", None),
        ("42", "incorrect_number", None),
        ("cards", "incorrect_number", None),
    ],
)
def test_a_refused_card_is_told_to_the_browser_and_the_next_one_pays(
    standin: Standin, number: str, code: str, reason: str | None
):
    intent = create(standin)
    answer = confirm(standin, intent, **card(number))
    assert answer.status_code == 402
    error = answer.json()["error"]
    assert (error["type"], error["code"]) == ("card_error", code)
    assert error.get("decline_code") == reason
    assert error["message"].startswith("Your card")
    if "payment_intent" in error:
        assert set(error["payment_intent"]) == VISIBLE
        assert error["payment_intent"]["status"] == "requires_payment_method"
        assert standin.event_types(intent.id)[-1] == "payment_intent.payment_failed"
    assert confirm(standin, intent, **card()).json()["status"] == "succeeded"


def test_an_intent_that_is_over_takes_no_confirmation(standin: Standin):
    paid, canceled = create(standin), create(standin)
    confirm(standin, paid, **card())
    standin.client.v1.payment_intents.cancel(canceled.id)
    for intent, status in ((paid, "succeeded"), (canceled, "canceled")):
        answer = confirm(standin, intent, **card())
        assert answer.status_code == 400
        error = answer.json()["error"]
        assert error["type"] == "invalid_request_error"
        assert error["code"] == "payment_intent_unexpected_state"
        assert error["payment_intent"]["status"] == status
        assert set(error["payment_intent"]) == VISIBLE
    assert len(standin.client.v1.charges.list({"payment_intent": paid.id}).data) == 1


def test_a_payment_of_checkout_and_one_for_servers_are_not_a_browsers_to_confirm(standin: Standin):
    session = standin.open_session()
    standin.visit(session, fate="decline")
    of_checkout = standin.session(session.id).payment_intent
    assert isinstance(of_checkout, str)
    first = standin.client.v1.payment_intents.retrieve(of_checkout)
    for intent in (first, create(standin, confirmation_method="manual")):
        error = confirm(standin, intent, **card()).json()["error"]
        assert error["code"] == "payment_intent_unexpected_state"


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"amount": "1"}, "amount"),
        ({"nonsense": "1"}, "nonsense"),
        ({"return_url": "nowhere"}, "return_url"),
        ({"receipt_email": "nobody"}, "receipt_email"),
        ({"payment_method_data[card][pin]": "1"}, "payment_method_data[card][pin]"),
        ({"payment_method_data[card][exp_year]": "soon"}, "payment_method_data[card][exp_year]"),
        ({"payment_method_data[type]": "shells"}, "payment_method_data[type]"),
        ({"payment_method_data[billing_details][age]": "7"}, "payment_method_data[billing_details][age]"),
        ({"payment_method": "pm_none", "payment_method_data[type]": None}, "payment_method"),
        ({"standin[webhooks]": "burnt"}, "standin[webhooks]"),
        ({"standin[delay_seconds]": "-1"}, "standin[delay_seconds]"),
        ({"setup_future_usage": "off_session"}, "setup_future_usage"),
    ],
)  # fmt: skip
def test_what_stripe_refuses_is_refused(standin: Standin, params: Json, param: str):
    intent = create(standin)
    given = card(**params)
    if params.get("payment_method"):
        given = params
    answer = confirm(standin, intent, **given)
    assert answer.status_code in (400, 404), answer.text
    assert answer.json()["error"]["param"] == param
    assert standin.event_types(intent.id) == ["payment_intent.created"]


def test_a_card_number_is_for_browsers_alone(standin: Standin):
    intent = create(standin)
    answer = standin.api("POST", f"payment_intents/{intent.id}/confirm", card())
    assert answer.json()["error"]["param"].startswith("payment_method_data[")


@pytest.mark.parametrize(
    ("currency", "kind", "field", "good", "bad"),
    [
        ("usd", "us_bank_account", "account_number", "000123456789", "000222222227"),
        ("eur", "sepa_debit", "iban", "AT611904300234573201", "AT861904300235473202"),
    ],
)
def test_a_delayed_method_settles_or_bounces_when_the_form_said(
    own_standin: Any, currency: str, kind: str, field: str, good: str, bad: str
):
    with own_standin() as standin:
        data = "payment_method_data"
        ends = {}
        for number in (good, bad):
            intent = create(standin, currency=currency)
            answer = confirm(
                standin,
                intent,
                **{
                    f"{data}[type]": kind,
                    f"{data}[{kind}][{field}]": number,
                    "standin[delay_seconds]": "600",
                },
            )
            assert answer.json()["status"] == "processing", answer.text
            ends[intent.id] = "succeeded" if number == good else "requires_payment_method"
        standin.control("clock", {"advance_seconds": 590})
        intents = standin.client.v1.payment_intents
        assert {intents.retrieve(one).status for one in ends} == {"processing"}
        standin.control("clock", {"advance_seconds": 11})
        assert {one: intents.retrieve(one).status for one in ends} == ends


def test_a_method_that_is_not_allowed_is_refused(standin: Standin):
    intent = create(standin, allowed_payment_method_types=["card"])
    data = "payment_method_data"
    params = {f"{data}[type]": "us_bank_account"}
    missing = confirm(standin, intent, **params).json()["error"]
    assert missing["param"] == f"{data}[us_bank_account][account_number]"
    params[f"{data}[us_bank_account][account_number]"] = "000123456789"
    refused = confirm(standin, intent, **params).json()["error"]
    assert refused["code"] == "payment_intent_incompatible_payment_method"


def test_an_idempotency_key_works_for_browsers_too(standin: Standin):
    intent = create(standin)
    url = f"{standin.url}/v1/payment_intents/{intent.id}/confirm"
    params = {"key": KEY, "client_secret": intent.client_secret, **card()}
    headers = {"Idempotency-Key": f"browser-{intent.id}"}
    first = requests.post(url, data=params, headers=headers, timeout=30)
    again = requests.post(url, data=params, headers=headers, timeout=30)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()


@pytest.mark.parametrize("mode", ["lost", "doubled", "delayed", "reordered"])
def test_the_form_chooses_what_the_shop_hears(telling: tuple[Standin, Endpoint], mode: str):
    standin, endpoint = telling
    intent = create(standin)
    endpoint.wait_for("payment_intent.created")
    seconds = "600" if mode == "delayed" else "5"
    confirm(
        standin,
        intent,
        **card(**{"standin[webhooks]": mode, "standin[delay_seconds]": seconds}),
    )
    succeeded = [t for t in standin.event_types(intent.id) if t == "payment_intent.succeeded"]
    assert len(succeeded) == (2 if mode == "doubled" else 1)
    marker = create(standin)
    if mode == "delayed":
        standin.control("clock", {"advance_seconds": 590})
        standin.control("clock", {"advance_seconds": 11})
    if mode == "lost":
        endpoint.wait_for("payment_intent.created", 2)
        assert "payment_intent.succeeded" not in endpoint.about(intent.id)
    else:
        endpoint.wait_for("payment_intent.succeeded", len(succeeded))
    if mode == "reordered":
        endpoint.wait_for("charge.succeeded")
        money = [t for t in endpoint.types if t.endswith(".succeeded")]
        assert money == ["payment_intent.succeeded", "charge.succeeded"]
    assert marker.id != intent.id

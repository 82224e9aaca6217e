"""Idempotency keys, as Stripe keeps them."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
import requests
import stripe

from tests.harness import wait_until
from tests.standin.conftest import Standin


def post(standin: Standin, path: str, data: Any, key: str) -> requests.Response:
    return standin.api("POST", path, data, {"Idempotency-Key": key})


def test_the_same_key_gives_the_same_answer_and_no_second_effect(standin: Standin):
    key = str(uuid4())
    first = post(standin, "products", {"name": "Poster"}, key)
    again = post(standin, "products", {"name": "Poster"}, key)
    assert again.content == first.content
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Original-Request"] == first.headers["Request-Id"]
    assert again.headers["Request-Id"] != first.headers["Request-Id"]
    assert first.headers["Idempotency-Key"] == key


def test_a_replay_shows_the_old_body(standin: Standin):
    key = str(uuid4())
    params = standin.session_params()
    sessions = standin.client.v1.checkout.sessions
    session = sessions.create(params, {"idempotency_key": key})  # type: ignore[arg-type]
    sessions.expire(session.id)
    replay = sessions.create(params, {"idempotency_key": key})  # type: ignore[arg-type]
    assert (replay.id, replay.status) == (session.id, "open")
    assert standin.session(session.id).status == "expired"


def test_the_order_of_the_parameters_does_not_matter(standin: Standin):
    key = str(uuid4())
    first = post(standin, "products", [("name", "Poster"), ("active", "true")], key)
    again = post(standin, "products", [("active", "true"), ("name", "Poster")], key)
    assert again.content == first.content


def test_other_parameters_under_the_same_key_are_refused(standin: Standin):
    key = str(uuid4())
    products = standin.client.v1.products
    products.create({"name": "Poster"}, {"idempotency_key": key})
    with pytest.raises(stripe.IdempotencyError, match="same parameters"):
        products.create({"name": "Mug"}, {"idempotency_key": key})


def test_the_same_key_at_another_address_is_refused(standin: Standin):
    key = str(uuid4())
    post(standin, "products", {"name": "Poster"}, key)
    answer = post(standin, "prices", {"currency": "usd"}, key)
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "idempotency_error")
    assert "same endpoint" in answer.json()["error"]["message"]


def test_a_refused_parameter_does_not_use_the_key_up(standin: Standin):
    key = str(uuid4())
    for wrong in ({"nonsense": "1"}, {"name": ""}, {"name": "x", "metadata[k]": "v" * 501}):
        assert post(standin, "products", wrong, key).status_code == 400
    right = post(standin, "products", {"name": "Poster"}, key)
    assert right.status_code == 200
    assert "Idempotent-Replayed" not in right.headers


def test_a_refusal_by_the_state_of_things_is_kept(standin: Standin):
    key = str(uuid4())
    session = standin.pay(standin.open_session())
    path = f"checkout/sessions/{session.id}/expire"
    first = post(standin, path, {}, key)
    again = post(standin, path, {}, key)
    assert first.status_code == again.status_code == 400
    assert again.headers["Idempotent-Replayed"] == "true"


def test_a_declined_payment_is_kept(standin: Standin):
    intent = standin.client.v1.payment_intents.create({"amount": 500, "currency": "usd"})
    key, path = str(uuid4()), f"payment_intents/{intent.id}/confirm"
    data = {"payment_method": "pm_card_chargeDeclined"}
    assert post(standin, path, data, key).status_code == 402
    again = post(standin, path, data, key)
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (402, "true")
    charges = standin.client.v1.charges.list({"payment_intent": intent.id}).data
    assert len(charges) == 1


def test_a_key_has_at_most_255_characters(standin: Standin):
    assert post(standin, "products", {"name": "x"}, uuid4().hex + "k" * 223).status_code == 200
    answer = post(standin, "products", {"name": "x"}, "k" * 256)
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "idempotency_error")


def test_a_key_on_a_read_means_nothing(standin: Standin):
    key = str(uuid4())
    for path in ("products", "prices"):
        answer = standin.api("GET", path, headers={"Idempotency-Key": key})
        assert answer.status_code == 200
        assert "Idempotent-Replayed" not in answer.headers


def test_a_saved_500_is_replayed_for_good(standin: Standin):
    standin.control("faults", {"match": "POST /v1/products", "kind": "error_500_saved"})
    key = str(uuid4())
    name = f"Poster {key}"
    for _ in range(3):
        answer = post(standin, "products", {"name": name}, key)
        assert answer.status_code == 500
        assert answer.json()["error"]["type"] == "api_error"
    assert answer.headers["Idempotent-Replayed"] == "true"
    assert name not in {p.name for p in standin.client.v1.products.list({"limit": 100}).data}


def test_a_saved_500_may_have_had_its_effect(standin: Standin):
    standin.control(
        "faults", {"match": "POST /v1/products", "kind": "error_500_saved", "effect": True}
    )
    key = str(uuid4())
    name = f"Poster {key}"
    for _ in range(2):
        assert post(standin, "products", {"name": name}, key).status_code == 500
    names = [p.name for p in standin.client.v1.products.list({"limit": 100}).data]
    assert names.count(name) == 1


def test_an_unsaved_500_leaves_the_key_free(standin: Standin):
    standin.control("faults", {"match": "POST /v1/products", "kind": "error_500_unsaved"})
    key = str(uuid4())
    assert post(standin, "products", {"name": "Poster"}, key).status_code == 500
    assert post(standin, "products", {"name": "Poster"}, key).status_code == 200


def test_the_same_key_while_the_first_is_under_way_is_a_409(standin: Standin):
    standin.control("faults", {"match": "POST /v1/products", "kind": "slow", "delay_ms": 3000})
    key = str(uuid4())
    answers: list[requests.Response] = []
    first = threading.Thread(
        target=lambda: answers.append(post(standin, "products", {"name": "Poster"}, key))
    )
    first.start()
    wait_until(
        lambda: any(
            r["idempotency_key"] == key and r["fault"] == "slow" for r in standin.ask("requests")
        ),
        "the first is under way",
    )
    second = post(standin, "products", {"name": "Poster"}, key)
    assert (second.status_code, second.json()["error"]["code"]) == (409, "idempotency_key_in_use")
    first.join()
    assert answers[0].status_code == 200
    third = post(standin, "products", {"name": "Poster"}, key)
    assert third.content == answers[0].content


def test_many_at_once_with_one_key_make_one_object(standin: Standin):
    standin.control("latency", {"ms": 5})
    key = str(uuid4())
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post(standin, "products", {"name": key}, key), range(8)))
    assert {a.status_code for a in answers} <= {200, 409}
    assert len({a.json()["id"] for a in answers if a.status_code == 200}) == 1
    names = [p.name for p in standin.client.v1.products.list({"limit": 100}).data]
    assert names.count(key) == 1


def test_a_key_is_kept_for_a_day_and_forgotten_after(own_standin: Any):
    with own_standin() as standin:
        key = str(uuid4())
        first = post(standin, "products", {"name": "Poster"}, key).json()["id"]
        standin.control("clock", {"advance_seconds": 24 * 3600})
        assert post(standin, "products", {"name": "Poster"}, key).json()["id"] == first
        standin.control("clock", {"advance_seconds": 3 * 3600})
        assert post(standin, "products", {"name": "Poster"}, key).json()["id"] != first


def test_keys_outlive_the_process(own_standin: Any):
    key = str(uuid4())
    with own_standin() as standin:
        first = post(standin, "products", {"name": "Poster"}, key)
    with own_standin() as standin:
        again = post(standin, "products", {"name": "Poster"}, key)
    assert json.loads(again.content) == json.loads(first.content)
    assert again.headers["Idempotent-Replayed"] == "true"


def test_the_official_clients_own_retries_are_safe(standin: Standin):
    standin.control("faults", {"match": "POST /v1/products", "kind": "reset_after"})
    client = stripe.StripeClient(
        "sk_test_x",
        base_addresses={"api": standin.url},  # type: ignore[typeddict-item]
        http_client=stripe.RequestsClient(session=standin.http, timeout=30),
        max_network_retries=2,
    )
    name = uuid4().hex
    product = client.v1.products.create({"name": name})
    found = [p.id for p in client.v1.products.list({"limit": 100}).data if p.name == name]
    assert found == [product.id]

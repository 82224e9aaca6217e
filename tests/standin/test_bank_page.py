"""The bank's page for a payment on a page of the shop's own: is it you?"""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
import stripe

from tests.standin.conftest import Standin
from tests.standin.test_client_calls import card, confirm
from tests.standin.test_payment_intents import create

SECURE = "4000000000003220"
IN_VAIN = "4000008400001629"


def back(standin: Standin) -> str:
    return f"{standin.url}/healthz?order=7#payment"


def asked(standin: Standin, intent: stripe.PaymentIntent, number: str = SECURE) -> str:
    """Confirms with a card whose bank has a question; the address of the bank's page."""
    answer = confirm(standin, intent, **card(number, return_url=back(standin)))
    waiting = answer.json()
    assert waiting["status"] == "requires_action", answer.text
    action = waiting["next_action"]
    assert action["type"] == "redirect_to_url"
    assert action["redirect_to_url"]["return_url"] == back(standin)
    return str(action["redirect_to_url"]["url"])


def say(standin: Standin, url: str, word: str) -> requests.Response:
    return standin.http.post(url, data={"answer": word}, allow_redirects=False, timeout=30)


def landed(answer: requests.Response, intent: stripe.PaymentIntent) -> str:
    """The `redirect_status` with which a shopper comes back to the shop."""
    assert answer.status_code == 303
    parts = urlsplit(answer.headers["Location"])
    assert (parts.path, parts.fragment) == ("/healthz", "payment")
    *before, (name, word) = parse_qsl(parts.query)
    assert before == [
        ("order", "7"),
        ("payment_intent", intent.id),
        ("payment_intent_client_secret", intent.client_secret),
    ]
    assert name == "redirect_status"
    return word


def test_the_shopper_who_confirms_has_paid(standin: Standin):
    intent = create(standin)
    url = asked(standin, intent)
    page = standin.http.get(url, timeout=30)
    assert "Your bank asks: is it you?" in page.text
    assert "50.00 USD" in page.text
    assert landed(say(standin, url, "confirm"), intent) == "succeeded"
    paid = standin.client.v1.payment_intents.retrieve(intent.id)
    assert (paid.status, paid.next_action, paid.last_payment_error) == ("succeeded", None, None)
    assert standin.event_types(intent.id) == [
        "payment_intent.created",
        "payment_intent.requires_action",
        "payment_intent.succeeded",
    ]
    told = standin.client.v1.events.list({"type": "payment_intent.requires_action", "limit": 1})
    assert told.data[0].data.object["next_action"]["redirect_to_url"]["url"] == url


def test_the_shopper_who_refuses_can_try_again_on_the_same_intent(standin: Standin):
    intent = create(standin)
    url = asked(standin, intent)
    assert landed(say(standin, url, "refuse"), intent) == "failed"
    waiting = standin.client.v1.payment_intents.retrieve(intent.id)
    assert (waiting.status, waiting.next_action) == ("requires_payment_method", None)
    assert waiting.last_payment_error
    assert waiting.last_payment_error.code == "payment_intent_authentication_failure"
    assert standin.event_types(intent.id)[-1] == "payment_intent.payment_failed"
    assert confirm(standin, intent, **card()).json()["status"] == "succeeded"
    paid = standin.client.v1.payment_intents.retrieve(intent.id)
    assert paid.last_payment_error is None


def test_a_bank_may_decline_the_shopper_whom_it_knows(standin: Standin):
    intent = create(standin)
    url = asked(standin, intent, IN_VAIN)
    assert landed(say(standin, url, "confirm"), intent) == "failed"
    waiting = standin.client.v1.payment_intents.retrieve(intent.id)
    assert waiting.status == "requires_payment_method"
    assert waiting.last_payment_error
    assert waiting.last_payment_error.code == "card_declined"


def test_with_manual_capture_the_bank_only_authorises(standin: Standin):
    intent = create(standin, capture_method="manual")
    assert landed(say(standin, asked(standin, intent), "confirm"), intent) == "succeeded"
    held = standin.client.v1.payment_intents.retrieve(intent.id)
    assert (held.status, held.amount_capturable) == ("requires_capture", 5000)


def test_a_second_answer_changes_nothing(standin: Standin):
    intent = create(standin)
    url = asked(standin, intent)
    say(standin, url, "confirm")
    assert landed(say(standin, url, "refuse"), intent) == "succeeded"
    seen = standin.http.get(url, allow_redirects=False, timeout=30)
    assert landed(seen, intent) == "succeeded"
    assert standin.event_types(intent.id).count("payment_intent.succeeded") == 1


def test_an_intent_that_was_canceled_meanwhile_is_not_paid(standin: Standin):
    intent = create(standin)
    url = asked(standin, intent)
    canceled = standin.client.v1.payment_intents.cancel(intent.id)
    assert (canceled.status, canceled.next_action) == ("canceled", None)
    assert landed(say(standin, url, "confirm"), intent) == "failed"
    assert standin.client.v1.payment_intents.retrieve(intent.id).status == "canceled"
    assert standin.client.v1.charges.list({"payment_intent": intent.id}).data == []


def test_a_shopper_who_leaves_the_bank_can_use_another_card(standin: Standin):
    intent = create(standin)
    url = asked(standin, intent)
    assert confirm(standin, intent, **card()).json()["status"] == "succeeded"
    assert landed(say(standin, url, "refuse"), intent) == "succeeded"


def test_without_a_way_back_the_page_says_what_became_of_the_payment(standin: Standin):
    intent = create(standin)
    answer = confirm(standin, intent, **card(SECURE))
    url = answer.json()["next_action"]["redirect_to_url"]["url"]
    shown = say(standin, url, "confirm")
    assert shown.status_code == 200
    assert "this payment is succeeded" in shown.text


@pytest.mark.parametrize("path", ["pi_none_secret_x", "{id}", "{id}_secret_guess", "{other}"])
def test_only_the_shopper_who_was_sent_there_sees_the_page(standin: Standin, path: str):
    intent, other = create(standin), create(standin)
    asked(standin, intent)
    page = path.format(id=intent.id, other=other.client_secret)
    url = f"{standin.url}/c/authenticate/{page}"
    for answer in (standin.http.get(url, timeout=30), say(standin, url, "confirm")):
        assert answer.status_code == 404
    assert standin.client.v1.payment_intents.retrieve(intent.id).status == "requires_action"


def test_the_page_may_send_its_form_on_to_the_shop_and_nowhere_else(standin: Standin):
    intent = create(standin)
    elsewhere: Any = "https://shop.test/orders/1"
    answer = confirm(standin, intent, **card(SECURE, return_url=elsewhere))
    url = answer.json()["next_action"]["redirect_to_url"]["url"]
    policy = standin.http.get(url, timeout=30).headers["Content-Security-Policy"]
    assert "form-action 'self' https://shop.test" in policy
    assert "frame-ancestors 'none'" in policy


def test_what_the_form_chose_for_the_webhooks_holds_beyond_the_bank(standin: Standin):
    intent = create(standin)
    chosen: Any = {"standin[webhooks]": "doubled"}
    answer = confirm(standin, intent, **card(SECURE, return_url=back(standin), **chosen))
    say(standin, answer.json()["next_action"]["redirect_to_url"]["url"], "confirm")
    types = standin.event_types(intent.id)
    assert types.count("payment_intent.requires_action") == 2
    assert types.count("payment_intent.succeeded") == 2

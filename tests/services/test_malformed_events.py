"""An event that Stripe signed, but never sends so, is refused and leaves nothing behind."""

import json
from typing import Any

import pytest
import stripe as library

from storefront.domain.errors import SignatureInvalid
from storefront.services import events
from tests.books import dump
from tests.services.town import Town

HALF = "\ud800"
WRONG = (HALF, 10**400, float("nan"), [], {}, True, -1, "", 2.5)


def everything(town: Town) -> dict[str, Any]:
    """Every key of the shop, its counters for the metrics included."""
    return dump(town.shop.store._client, but=frozenset())


def all_kinds(town: Town) -> list[dict[str, Any]]:
    """One event of each kind that the shop listens to, none of them heard yet."""
    paid = town.begin({"poster": 1}, visitor="ada").order
    town.stripe.pay(paid.session)
    town.deliver()
    town.stripe.refund_by_hand(town.order(paid).payment_intent, 700)
    town.stripe.dispute(town.order(paid).payment_intent)
    ended = town.begin({"zine": 1}, visitor="bob").order
    town.stripe.decline(ended.session)
    town.stripe.expire_session(ended.session)
    new = town.begin({"last": 1}, visitor="eve").order
    town.stripe.pay(new.session)
    return list({event["type"]: event for event in town.stripe.new_events()}.values())


READ = {
    "checkout.session": """id status payment_status amount_total currency livemode created url
        client_reference_id metadata metadata.order metadata.shop payment_intent""".split(),
    "payment_intent": """id status amount currency livemode created receipt_email metadata
        metadata.order metadata.shop""".split(),
    "refund": "id payment_intent amount status metadata metadata.reason".split(),
    "charge": "id payment_intent metadata metadata.order metadata.shop".split(),
    "dispute": "id payment_intent amount status metadata".split(),
}
"""What the shop reads of each kind of object."""
HARMLESS = {
    "metadata": ({},),
    "metadata.order": ("",),
    "metadata.shop": ("",),
    "metadata.reason": ("",),
    "client_reference_id": ("",),
    "livemode": (True,),
    "status": ("",),
    "payment_status": ("",),
    "currency": ("",),
    "url": ("",),
    "receipt_email": ("",),
}
"""Values that are no mistake there."""


def put(found: dict[str, Any], path: str, value: object) -> None:
    name, _, rest = path.partition(".")
    if rest:
        put(found.setdefault(name, {}), rest, value)
    else:
        found[name] = value


def test_no_field_that_the_shop_reads_may_hold_what_stripe_never_sends(town: Town) -> None:
    told = all_kinds(town)
    assert {event["data"]["object"]["object"] for event in told} == set(READ)
    before = everything(town)
    tried = 0
    for event in told:
        for path in READ[event["data"]["object"]["object"]]:
            for value in WRONG:
                if value in HARMLESS.get(path, ()):
                    continue
                spoilt = json.loads(json.dumps(event))
                put(spoilt["data"]["object"], path, value)
                with pytest.raises(SignatureInvalid):
                    town.receive(spoilt)
                tried += 1
    assert tried > 500
    assert everything(town) == before
    for event in told:
        assert town.receive(event) not in {"repeat", "ignored", "not_ours"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *(("id", value) for value in (*WRONG, None, "a b", "a:b", "x" * 256)),
        *(("type", value) for value in (HALF, 5, None, [], {}, "a:b", "a b", "x" * 256)),
        *(("created", value) for value in (HALF, 10**400, float("inf"), [], {}, True, -1, 2.5)),
        *(("livemode", value) for value in ([], {}, "", "true", 0, 1, HALF)),
        *(("data", value) for value in (None, 5, [], {}, {"object": None}, {"object": []})),
        *(("data.object.object", value) for value in (5, [], True, "a b", HALF)),
    ],
)
def test_an_envelope_that_stripe_never_sends_is_no_event(
    town: Town, path: str, value: object
) -> None:
    told = all_kinds(town)
    [event] = [e for e in told if e["type"] == "checkout.session.completed"]
    before = everything(town)
    put(event, path, value)
    with pytest.raises(SignatureInvalid):
        town.receive(event)
    assert everything(town) == before


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_json_does_not_have_is_no_json_wherever_it_stands(
    town: Town, word: str
) -> None:
    body = '{"id": "evt_1", "type": "x", "data": {"object": {"x": ["here"]}}}'
    body = body.replace('"here"', word)
    before = everything(town)
    header = library.WebhookSignature.generate_signature_header(body, "whsec_x")
    with pytest.raises(SignatureInvalid):
        events.receive(town.shop, body.encode(), header)
    assert everything(town) == before


def test_the_log_says_what_is_wrong_and_nothing_that_the_event_said(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    told = all_kinds(town)
    [event] = [e for e in told if e["type"] == "checkout.session.completed"]
    event["data"]["object"]["customer_details"] = {"email": ["ada@example.com"]}
    caplog.clear()
    with pytest.raises(SignatureInvalid):
        town.receive(event)
    assert "email is no text" in caplog.text
    assert "ada" not in caplog.text


def test_a_refund_that_does_not_say_how_much_is_asked_for_and_not_noted(town: Town) -> None:
    [event] = [e for e in all_kinds(town) if e["type"] == "refund.created"]
    [order] = [o for o in town.orders() if o.payment_intent == "pi_1"]
    event["data"]["object"]["amount"] = None
    assert town.receive(event) == "asking"
    assert town.order(order).refunds == ()
    assert f"refund:{order.id}:pi_1" in town.due()


def test_a_refund_in_a_state_that_nobody_knows_is_asked_for_and_not_noted(town: Town) -> None:
    [event] = [e for e in all_kinds(town) if e["type"] == "refund.created"]
    [order] = [o for o in town.orders() if o.payment_intent == "pi_1"]
    event["data"]["object"]["status"] = "on_hold"
    assert town.receive(event) == "asking"
    assert town.order(order).refunds == ()


@pytest.mark.parametrize("kind", [None, "", "customer", "payment_link"])
def test_an_event_about_another_kind_of_object_than_its_type_says_is_ignored(
    town: Town, kind: str | None
) -> None:
    for event in all_kinds(town):
        event["data"]["object"]["object"] = kind
        assert town.receive(event) == "ignored"


def test_a_charge_that_was_refunded_without_a_payment_is_not_ours(town: Town) -> None:
    told = all_kinds(town)
    [event] = [e for e in told if e["type"] == "charge.refunded"]
    jobs = town.due()
    event["data"]["object"]["payment_intent"] = None
    assert town.receive(event) == "not_ours"
    assert town.due() == jobs


def test_an_event_is_of_the_other_mode_by_its_own_word_or_its_objects(town: Town) -> None:
    for event in all_kinds(town):
        if "livemode" in event["data"]["object"]:
            event["data"]["object"]["livemode"] = True
            assert town.receive(event) == "other_mode"

"""Webhooks: signed, at least once, whatever becomes of them on the way."""

import time
from pathlib import Path
from typing import Any

import pytest
import stripe

from storefront.standin.deliveries import Deliveries, Fate
from storefront.standin.state import State
from storefront.standin.webhooks import signature
from tests.harness import wait_until
from tests.standin.conftest import SECRET, Endpoint, Standin, run_standin

Telling = tuple[Standin, Endpoint]


def test_the_official_library_accepts_the_signature(telling: Telling):
    standin, endpoint = telling
    session = standin.open_session()
    standin.pay(session)
    event = endpoint.wait_for("checkout.session.completed")[0]
    assert event["object"] == "event"
    assert event["api_version"] == "2026-10-28.endive"
    assert event["data"]["object"]["id"] == session.id
    assert event["data"]["object"]["payment_status"] == "paid"
    assert event["pending_webhooks"] == 1
    assert event["request"] == {"id": None, "idempotency_key": None}
    assert endpoint.refused == []


def test_a_changed_body_or_secret_is_not_accepted():
    body = b'{"object": "event"}'
    header = signature(body, SECRET, int(time.time()))
    assert stripe.WebhookSignature.verify_header(body, header, SECRET, 300)
    for other_body, secret in ((body + b" ", SECRET), (body, "whsec_other")):
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.WebhookSignature.verify_header(other_body, header, secret, 300)


def test_a_call_is_named_by_the_event_that_it_caused(telling: Telling):
    standin, endpoint = telling
    session = standin.open_session()
    answer = standin.api(
        "POST", f"checkout/sessions/{session.id}/expire", {}, {"Idempotency-Key": "k-expire"}
    )
    event = endpoint.wait_for("checkout.session.expired")[0]
    assert event["request"] == {
        "id": answer.headers["Request-Id"],
        "idempotency_key": "k-expire",
    }


def test_everything_that_happens_to_a_payment_is_told(telling: Telling):
    standin, endpoint = telling
    intent = standin.paid_intent()
    standin.client.v1.refunds.create({"payment_intent": intent.id})
    standin.control(f"payment_intents/{standin.paid_intent().id}/dispute")
    manual = standin.pay(standin.open_session(payment_intent_data={"capture_method": "manual"}))
    standin.client.v1.payment_intents.capture(str(manual.payment_intent))
    other = standin.pay(standin.open_session(payment_intent_data={"capture_method": "manual"}))
    standin.client.v1.payment_intents.cancel(str(other.payment_intent))
    expected = {
        "payment_intent.created",
        "payment_intent.succeeded",
        "payment_intent.amount_capturable_updated",
        "payment_intent.canceled",
        "charge.succeeded",
        "charge.captured",
        "charge.refunded",
        "charge.dispute.created",
        "refund.created",
        "checkout.session.completed",
    }
    wait_until(lambda: expected <= set(endpoint.types), f"all of {expected}")


def test_an_event_is_sent_again_until_it_is_taken(telling: Telling):
    standin, endpoint = telling
    tries: list[str] = []

    def answer(event: dict[str, Any]) -> int:
        tries.append(event["id"])
        return 200 if tries.count(event["id"]) > 2 else 503

    endpoint.answer = answer
    session = standin.open_session()
    standin.client.v1.checkout.sessions.expire(session.id)
    event = endpoint.wait_for("checkout.session.expired")[0]
    wait_until(lambda: standin.ask(f"events/{event['id']}/deliveries")[0]["attempts"], "noted")
    before = standin.ask(f"events/{event['id']}/deliveries")[0]
    assert (before["status"], before["answer"]) == ("pending", "503")
    for times in (2, 3):
        standin.control("clock", {"advance_seconds": 6})
        endpoint.wait_for("checkout.session.expired", times)
    wait_until(
        lambda: standin.ask(f"events/{event['id']}/deliveries")[0]["status"] == "delivered",
        "it is noted",
    )
    assert standin.ask(f"events/{event['id']}/deliveries")[0]["attempts"] == 3
    assert len({e["id"] for e in endpoint.events}) == 1


def test_the_pauses_grow_and_end_after_three_days():
    state = State(":memory:")
    deliveries = Deliveries(state)
    endpoint = {
        "id": "we_1",
        "object": "webhook_endpoint",
        "created": 0,
        "status": "enabled",
        "enabled_events": ["*"],
    }
    state.put(endpoint)
    deliveries.schedule([({"id": "evt_1", "type": "charge.refunded"}, Fate())], now=0)
    now, pauses = 0.0, []
    while due := deliveries.due(now):
        deliveries.refused(due[0], "500", now)
        pauses.append(deliveries.of("evt_1")[0]["due"] - now)
        now += pauses[-1]
    assert pauses[:7] == [1, 5, 30, 120, 600, 3600, 3600]
    assert 3 * 86400 <= sum(pauses[:-1]) < 3 * 86400 + 3600
    assert deliveries.of("evt_1")[0]["status"] == "failed"
    state.close()


def test_what_is_not_taken_is_sent_after_a_restart(tmp_path: Path, endpoint: Endpoint):
    arguments = ("--webhook-url", endpoint.url, "--webhook-secret", SECRET)
    with run_standin(tmp_path, *arguments) as standin:
        standin.control("webhooks", {"enabled": False})
        session = standin.open_session()
        standin.client.v1.checkout.sessions.expire(session.id)
        standin.process.kill()
    assert endpoint.events == []
    with run_standin(tmp_path, *arguments) as standin:
        assert standin.ask("webhooks")["enabled"] is False
        standin.control("webhooks", {"enabled": True})
        assert endpoint.wait_for("checkout.session.expired")
        assert endpoint.about(session.id) == ["checkout.session.expired"]


def test_events_held_back_are_sent_once_they_may(telling: Telling):
    standin, endpoint = telling
    standin.control("webhooks", {"enabled": False})
    session = standin.open_session()
    standin.client.v1.checkout.sessions.expire(session.id)
    pending = standin.client.v1.events.list({"delivery_success": False})
    assert [e.data.object["id"] for e in pending.data] == [session.id]
    assert endpoint.events == []
    standin.control("webhooks", {"enabled": True})
    endpoint.wait_for("checkout.session.expired")


def test_lost_webhooks_never_come_and_nobody_waits_for_them(telling: Telling):
    standin, endpoint = telling
    session = standin.open_session()
    answer = standin.visit(session, webhooks="lost")
    assert answer.status_code == 303
    other = standin.open_session()
    standin.pay(other)
    endpoint.wait_for("checkout.session.completed")
    assert endpoint.about(session.id) == []
    assert endpoint.about(str(standin.session(session.id).payment_intent)) == []
    events = standin.client.v1.events.list({"delivery_success": False}).data
    assert {e.type for e in events} >= {"checkout.session.completed", "payment_intent.succeeded"}
    assert {e.pending_webhooks for e in events} == {1}


def test_a_refund_of_a_payment_whose_webhooks_were_lost_is_told(telling: Telling):
    standin, endpoint = telling
    session = standin.pay(standin.open_session(), webhooks="lost")
    standin.client.v1.refunds.create({"payment_intent": str(session.payment_intent)})
    assert endpoint.wait_for("charge.refunded")


def test_doubled_webhooks_are_two_events_for_one_fact(telling: Telling):
    standin, endpoint = telling
    session = standin.open_session()
    standin.pay(session, webhooks="doubled")
    first, second = endpoint.wait_for("checkout.session.completed", times=2)
    assert first["id"] != second["id"]
    assert first["data"]["object"] == second["data"]["object"]
    endpoint.wait_for("payment_intent.succeeded", times=2)


def test_delayed_webhooks_come_after_their_time(telling: Telling):
    standin, endpoint = telling
    session = standin.open_session()
    assert standin.visit(session, webhooks="delayed", delay_seconds="300").status_code == 303
    standin.pay(standin.open_session())
    endpoint.wait_for("checkout.session.completed")
    assert endpoint.about(session.id) == []
    standin.control("clock", {"advance_seconds": 301})
    wait_until(lambda: endpoint.about(session.id), "the delayed event")


def test_reordered_webhooks_come_last_first(telling: Telling):
    standin, endpoint = telling
    session = standin.open_session()
    standin.pay(session, webhooks="reordered")
    intent = str(standin.session(session.id).payment_intent)
    wait_until(lambda: "payment_intent.created" in endpoint.about(intent), "the first fact")
    told = [e["type"] for e in endpoint.events if e["data"]["object"]["id"] in (session.id, intent)]
    assert told == [
        "checkout.session.completed",
        "payment_intent.succeeded",
        "payment_intent.created",
    ]


def test_the_usual_fate_meets_every_payment(telling: Telling):
    standin, endpoint = telling
    standin.control("webhooks", {"mode": "lost"})
    session = standin.open_session()
    assert standin.visit(session).status_code == 303
    standin.control("webhooks", {"mode": "normal"})
    standin.pay(standin.open_session())
    endpoint.wait_for("checkout.session.completed")
    assert endpoint.about(session.id) == []


def test_the_page_s_choice_of_normal_leaves_the_usual_fate(telling: Telling):
    standin, endpoint = telling
    standin.control("webhooks", {"mode": "doubled"})
    standin.pay(standin.open_session(), webhooks="normal")
    endpoint.wait_for("checkout.session.completed", times=2)


def test_endpoints_get_the_events_they_asked_for(own_standin: Any, endpoint: Endpoint):
    with own_standin() as standin:
        endpoints = standin.client.v1.webhook_endpoints
        made = endpoints.create(
            {
                "url": endpoint.url,
                "enabled_events": ["checkout.session.expired"],
                "api_version": "2026-10-28.endive",
            }
        )
        assert made.secret
        assert made.secret.startswith("whsec_")
        assert not hasattr(endpoints.retrieve(made.id), "secret")
        standin.pay(standin.open_session())
        standin.client.v1.checkout.sessions.expire(standin.open_session().id)
        wait_until(lambda: endpoint.refused, "an event that our secret does not verify")
        assert [
            e.type for e in standin.client.v1.events.list({"delivery_success": False}).data
        ] == ["checkout.session.expired"]
        endpoints.update(made.id, {"disabled": True})
        assert endpoints.retrieve(made.id).status == "disabled"
        assert [e.id for e in endpoints.list().data] == [made.id]
        endpoints.delete(made.id)
        assert endpoints.list().data == []


def test_an_event_can_be_sent_again_by_hand(telling: Telling):
    standin, endpoint = telling
    standin.client.v1.checkout.sessions.expire(standin.open_session().id)
    event = endpoint.wait_for("checkout.session.expired")[0]
    wait_until(
        lambda: standin.ask(f"events/{event['id']}/deliveries")[0]["status"] == "delivered",
        "it is noted",
    )
    standin.control(f"events/{event['id']}/resend")
    again = endpoint.wait_for("checkout.session.expired", times=2)
    assert {e["id"] for e in again} == {event["id"]}


def test_an_endpoint_that_is_down_delays_no_one_else(own_standin: Any, endpoint: Endpoint):
    with own_standin("--webhook-url", "http://127.0.0.1:9/gone") as standin:
        standin.client.v1.webhook_endpoints.create({"url": endpoint.url, "enabled_events": ["*"]})
        standin.client.v1.checkout.sessions.expire(standin.open_session().id)
        wait_until(lambda: endpoint.refused, "the other endpoint is told")

"""Events can be read again for thirty days."""

from typing import Any

import pytest
import stripe

from tests.standin.conftest import Standin


def test_an_event_shows_the_object_as_it_was_then(standin: Standin):
    session = standin.open_session()
    standin.visit(session, fate="late")
    events = standin.client.v1.events.list({"types": ["checkout.session.expired"], "limit": 1})
    then = events.data[0]
    assert then.data.object["id"] == session.id
    assert then.data.object["status"] == "expired"
    assert standin.session(session.id).status == "complete"
    again = standin.client.v1.events.retrieve(then.id)
    assert again.data.object.to_dict() == then.data.object.to_dict()


def test_events_are_found_by_type_age_and_delivery(standin: Standin):
    intent = standin.paid_intent()
    events = standin.client.v1.events
    found = events.list({"type": "payment_intent.succeeded", "limit": 1}).data
    assert [e.data.object["id"] for e in found] == [intent.id]
    some = events.list({"type": "payment_intent.*", "limit": 50}).data
    assert {e.type.split(".")[0] for e in some} == {"payment_intent"}
    both = ["charge.succeeded", "payment_intent.created"]
    assert {e.type for e in events.list({"types": both, "limit": 20}).data} == set(both)
    recent = events.list({"created": {"gte": intent.created}, "limit": 100}).data
    assert all(e.created >= intent.created for e in recent)
    assert events.list({"created": {"gt": standin.now() + 60}}).data == []
    assert events.list({"delivery_success": False}).data == []
    assert events.list({"delivery_success": True, "limit": 1}).data


@pytest.mark.parametrize(
    "params",
    [
        {"type": "a", "types": ["b"]},
        {"types": ["charge.refunded"] * 21},
        {"limit": 0},
        {"limit": 101},
        {"starting_after": "evt_none"},
        {"starting_after": "evt_a", "ending_before": "evt_b"},
    ],
)
def test_a_list_that_makes_no_sense_is_refused(standin: Standin, params: Any):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        standin.client.v1.events.list(params)
    assert caught.value.http_status == 400


def test_events_are_forgotten_after_thirty_days(own_standin: Any):
    with own_standin() as standin:
        standin.client.v1.checkout.sessions.expire(standin.open_session().id)
        standin.control("clock", {"advance_seconds": 29 * 86400})
        assert standin.client.v1.events.list().data
        standin.control("clock", {"advance_seconds": 2 * 86400})
        assert standin.client.v1.events.list().data == []

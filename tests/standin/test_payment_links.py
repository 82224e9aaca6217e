"""Payment links, and the sessions that their visitors open."""

from typing import Any

import pytest
import stripe

from tests.standin.conftest import Endpoint, Standin, line


def create(standin: Standin, **more: Any) -> stripe.PaymentLink:
    return standin.client.v1.payment_links.create({"line_items": [line(2500)], **more})  # type: ignore[typeddict-item]


def visit(standin: Standin, link: stripe.PaymentLink) -> stripe.checkout.Session:
    """Opens the link's address; the session that came of it."""
    answer = standin.http.get(link.url, allow_redirects=False, timeout=30)
    assert answer.status_code == 303, answer.text
    return standin.session(answer.headers["Location"].rsplit("/", 1)[-1])


def limit(count: int) -> Any:
    return {"restrictions": {"completed_sessions": {"limit": count}}}


def test_each_visit_opens_a_session_that_carries_the_links_metadata(standin: Standin):
    link = create(
        standin,
        metadata={"shop": "popup", "link": "7", "sku": "poster-red"},
        payment_intent_data={"metadata": {"order": "of-a-link"}},
    )
    first, second = visit(standin, link), visit(standin, link)
    assert first.id != second.id
    assert first.payment_link == link.id
    assert (first.status, first.amount_total) == ("open", 2500)
    assert first.metadata is not None
    assert first.metadata.to_dict() == {"shop": "popup", "link": "7", "sku": "poster-red"}
    listed = standin.client.v1.checkout.sessions.list({"payment_link": link.id})
    assert [s.id for s in listed.data] == [second.id, first.id]
    items = standin.client.v1.checkout.sessions.line_items
    first_items, second_items = (items.list(s.id).data for s in (first, second))
    assert first_items[0].id != second_items[0].id
    standin.visit(first)
    done = standin.client.v1.checkout.sessions.retrieve(first.id, {"expand": ["payment_intent"]})
    assert isinstance(done.payment_intent, stripe.PaymentIntent)
    assert done.payment_intent.metadata
    assert done.payment_intent.metadata.to_dict() == {"order": "of-a-link"}


def test_without_an_address_of_the_shop_stripe_itself_says_thanks(standin: Standin):
    session = visit(standin, create(standin))
    answer = standin.visit(session)
    assert answer.status_code == 200
    assert "Thanks for your payment" in answer.text
    assert standin.session(session.id).status == "complete"


def test_a_link_can_send_its_buyers_to_the_shop(standin: Standin):
    url = f"{standin.url}/healthz?session={{CHECKOUT_SESSION_ID}}"
    link = create(standin, after_completion={"type": "redirect", "redirect": {"url": url}})
    session = visit(standin, link)
    assert standin.visit(session).headers["Location"].endswith(f"session={session.id}")


def test_a_link_ends_when_its_limit_of_completed_sessions_is_reached(standin: Standin):
    link = create(standin, **limit(2))
    sessions = [visit(standin, link) for _ in range(3)]
    for session in sessions[:2]:
        standin.visit(session)
    ended = standin.client.v1.payment_links.retrieve(link.id)
    assert ended.active is False
    assert ended.restrictions
    assert ended.restrictions.completed_sessions.count == 2
    assert standin.http.get(link.url, timeout=30).status_code == 410
    with pytest.raises(stripe.InvalidRequestError):
        standin.client.v1.payment_links.update(link.id, {"active": True})
    assert "payment_link.updated" in standin.event_types(link.id)


@pytest.mark.parametrize("fate", ["pay", "late", "secure", "delayed_succeed"])
def test_at_its_limit_a_link_lets_no_open_session_be_paid(standin: Standin, fate: str):
    link = create(standin, inactive_message="All of them are sold.", **limit(1))
    early, late, at_the_bank = (visit(standin, link) for _ in range(3))
    secure = standin.visit(at_the_bank, fate="secure").headers["Location"]
    assert standin.visit(early).status_code == 200
    bank = standin.http.post(standin.url + secure, data={"answer": "confirm"}, timeout=30)
    for answer in (standin.visit(late, fate=fate), bank):
        assert answer.status_code == 409
        assert "All of them are sold." in answer.text
        assert "Nothing was charged" in answer.text
    for session in (late, at_the_bank):
        now = standin.session(session.id)
        assert (now.status, now.payment_status) == ("open", "unpaid")
        assert standin.client.v1.checkout.sessions.expire(session.id).status == "expired"
    assert standin.session(late.id).payment_intent is None
    ended = standin.client.v1.payment_links.retrieve(link.id)
    assert ended.restrictions
    assert (ended.active, ended.restrictions.completed_sessions.count) == (False, 1)


def test_that_a_limit_is_overrun_by_open_sessions_can_be_tried(standin: Standin):
    standin.control("links", {"limit": "overrun"})
    link = create(standin, **limit(1))
    early, late = visit(standin, link), visit(standin, link)
    standin.visit(early)
    assert standin.http.get(link.url, timeout=30).status_code == 410
    standin.visit(late)
    assert standin.session(late.id).status == "complete"
    ended = standin.client.v1.payment_links.retrieve(link.id)
    assert ended.restrictions
    assert ended.restrictions.completed_sessions.count == 2


def test_a_higher_limit_lets_a_link_sell_again(standin: Standin):
    link = create(standin, **limit(1))
    standin.visit(visit(standin, link))
    changed = standin.client.v1.payment_links.update(
        link.id,
        {"active": True, "restrictions": {"completed_sessions": {"limit": 2}}},
    )
    assert changed.active
    assert changed.restrictions
    assert changed.restrictions.completed_sessions.count == 1
    assert visit(standin, link).status == "open"


def test_an_inactive_link_says_so_but_its_open_sessions_stay_payable(standin: Standin):
    link = create(standin, inactive_message="Sold out – thank you all.")
    session = visit(standin, link)
    changed = standin.client.v1.payment_links.update(link.id, {"active": False})
    assert changed.active is False
    answer = standin.http.get(link.url, timeout=30)
    assert answer.status_code == 410
    assert "Sold out – thank you all." in answer.text
    standin.visit(session)
    assert standin.session(session.id).status == "complete"
    assert standin.client.v1.payment_links.update(link.id, {"active": True}).active
    assert visit(standin, link).status == "open"


def test_anyone_can_write_a_reference_into_the_address(standin: Standin):
    link = create(standin)
    for given, kept in (("?client_reference_id=o-1", "o-1"), ("?client_reference_id=a%20b", None)):
        answer = standin.http.get(link.url + given, allow_redirects=False, timeout=30)
        session = standin.session(answer.headers["Location"].rsplit("/", 1)[-1])
        assert session.client_reference_id == kept
    answer = standin.http.get(
        f"{link.url}?prefilled_email=ada@example.com", allow_redirects=False, timeout=30
    )
    session = standin.session(answer.headers["Location"].rsplit("/", 1)[-1])
    assert session.customer_email == "ada@example.com"


def test_a_link_for_cards_alone_opens_sessions_for_cards_alone(standin: Standin):
    session = visit(standin, create(standin, payment_method_types=["card"]))
    assert session.payment_method_types == ["card"]


def test_a_link_can_authorise_first(standin: Standin):
    link = create(standin, payment_intent_data={"capture_method": "manual"})
    session = visit(standin, link)
    standin.visit(session)
    intent = standin.client.v1.payment_intents.retrieve(
        str(standin.session(session.id).payment_intent)
    )
    assert intent.status == "requires_capture"


def test_links_are_listed_with_their_lines(standin: Standin):
    link = create(standin, line_items=[line(100, 2), line(300)])
    off = create(standin)
    standin.client.v1.payment_links.update(off.id, {"active": False})
    active = standin.client.v1.payment_links.list({"active": True, "limit": 1})
    assert [one.id for one in active.data] == [link.id]
    items = standin.client.v1.payment_links.line_items.list(link.id)
    assert [item.amount_total for item in items.data] == [200, 300]
    shown = standin.client.v1.payment_links.retrieve(link.id, {"expand": ["line_items"]})
    assert shown.line_items
    assert [item.amount_total for item in shown.line_items.data] == [200, 300]


def test_metadata_of_a_link_reaches_only_later_sessions(standin: Standin):
    link = create(standin, metadata={"units": "5"})
    before = visit(standin, link)
    standin.client.v1.payment_links.update(link.id, {"metadata": {"units": "6"}})
    after = visit(standin, link)
    for session, units in ((before, "5"), (after, "6")):
        assert session.metadata is not None
        assert session.metadata.to_dict() == {"units": units}


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"line_items": []}, "line_items"),
        ({"line_items": [line(100)] * 21}, "line_items"),
        ({"line_items": [line(0)]}, "line_items"),
        ({"line_items": [line(100) | {"adjustable_quantity": {"enabled": True}}]}, "line_items[0][adjustable_quantity]"),
        ({"restrictions": {"completed_sessions": {"limit": 0}}}, "restrictions[completed_sessions][limit]"),
        ({"inactive_message": "x" * 501}, "inactive_message"),
        ({"allow_promotion_codes": True}, "allow_promotion_codes"),
        ({"success_url": "https://x.test"}, "success_url"),
    ],
)  # fmt: skip
def test_what_stripe_refuses_of_a_link_is_refused(standin: Standin, more: Any, param: str):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        create(standin, **more)
    assert caught.value.param == param


def test_an_unknown_link_is_a_404(standin: Standin):
    assert standin.http.get(f"{standin.url}/l/test_none", timeout=30).status_code == 404


def test_a_links_end_is_told(telling: tuple[Standin, Endpoint]):
    standin, endpoint = telling
    link = create(standin, **limit(1))
    standin.visit(visit(standin, link))
    updated = endpoint.wait_for("payment_link.updated")[0]
    assert updated["data"]["object"]["active"] is False

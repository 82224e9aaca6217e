"""What Stripe's facts mean. Names of events and their order decide nothing."""

from dataclasses import replace

import pytest

from storefront.domain.events import HANDLED, from_event
from storefront.domain.fields import Malformed
from storefront.domain.payments import (
    Payment,
    Verdict,
    from_charge,
    from_intent,
    from_refund,
    from_session,
    mismatch,
    verdict,
)

PAID = Payment(amount=2500, currency="usd")


@pytest.mark.parametrize(
    ("session", "payment", "intent", "means"),
    [
        # the PaymentIntent decides, where Stripe sent it
        ("complete", "paid", "succeeded", Verdict.PAID),
        ("complete", "unpaid", "succeeded", Verdict.PAID),
        ("expired", "unpaid", "succeeded", Verdict.PAID),
        ("open", "unpaid", "succeeded", Verdict.PAID),
        ("", "", "succeeded", Verdict.PAID),
        ("complete", "unpaid", "requires_capture", Verdict.AUTHORIZED),
        ("", "", "requires_capture", Verdict.AUTHORIZED),
        ("complete", "unpaid", "processing", Verdict.PROCESSING),
        ("open", "unpaid", "processing", Verdict.PROCESSING),
        ("", "", "processing", Verdict.PROCESSING),
        # a delayed payment: on its way until Stripe says that it failed
        ("complete", "unpaid", "requires_action", Verdict.PROCESSING),
        ("complete", "unpaid", "requires_confirmation", Verdict.PROCESSING),
        ("complete", "unpaid", "requires_payment_method", Verdict.DECLINED),
        ("complete", "unpaid", "canceled", Verdict.DECLINED),
        ("", "", "canceled", Verdict.DECLINED),
        # the session alone
        ("complete", "paid", "", Verdict.PAID),
        ("complete", "no_payment_required", "", Verdict.PAID),
        ("complete", "unpaid", "", Verdict.UNCLEAR),
        ("expired", "unpaid", "", Verdict.EXPIRED),
        ("expired", "unpaid", "canceled", Verdict.EXPIRED),
        ("expired", "unpaid", "requires_payment_method", Verdict.EXPIRED),
        ("open", "unpaid", "", Verdict.OPEN),
        # one declined card leaves the session open for another
        ("open", "unpaid", "requires_payment_method", Verdict.OPEN),
        ("open", "unpaid", "requires_action", Verdict.OPEN),
        ("open", "unpaid", "canceled", Verdict.OPEN),
        # an intent alone does not know its session
        ("", "", "requires_payment_method", Verdict.UNCLEAR),
        ("", "", "requires_action", Verdict.UNCLEAR),
        ("", "", "", Verdict.UNCLEAR),
    ],
)
def test_the_verdict_on_each_combination(
    session: str, payment: str, intent: str, means: Verdict
) -> None:
    facts = Payment(session_status=session, payment_status=payment, intent_status=intent)
    assert verdict(facts) is means


def test_a_status_that_stripe_may_invent_gives_neither_goods_nor_stock_back() -> None:
    harmless = {Verdict.UNCLEAR, Verdict.OPEN, Verdict.PROCESSING}
    for session in ("complete", "open", "", "new"):
        assert verdict(Payment(session_status=session, intent_status="new")) in harmless


def test_the_right_amount_in_the_right_currency_is_no_mismatch() -> None:
    assert mismatch(PAID, 2500, "usd") == ""


@pytest.mark.parametrize(
    ("payment", "said"),
    [
        (replace(PAID, amount=2499), "paid 2499 usd, held for 2500 usd"),
        (replace(PAID, amount=2501), "paid 2501 usd, held for 2500 usd"),
        (replace(PAID, currency="eur"), "paid in eur, held in usd"),
    ],
)
def test_every_difference_is_a_mismatch_that_says_what_it_is(payment: Payment, said: str) -> None:
    assert mismatch(payment, 2500, "usd") == said


SESSION = {
    "id": "cs_1",
    "status": "complete",
    "payment_status": "paid",
    "payment_intent": "pi_1",
    "amount_total": 2500,
    "currency": "usd",
    "livemode": True,
    "customer_details": {"email": "ada@example.com"},
    "url": None,
    "created": 1795000000,
    "client_reference_id": "o1",
    "metadata": {"order": "o1", "shop": "s"},
}


def test_a_session_as_a_webhook_sends_it() -> None:
    assert from_session(SESSION) == Payment(
        order="o1",
        shop="s",
        session="cs_1",
        session_status="complete",
        payment_status="paid",
        payment_intent="pi_1",
        amount=2500,
        currency="usd",
        livemode=True,
        email="ada@example.com",
        created=1795000000,
        metadata={"order": "o1", "shop": "s"},
    )


def test_a_session_with_its_payment_expanded_brings_the_payment_s_status() -> None:
    found = from_session({**SESSION, "payment_intent": {"id": "pi_1", "status": "processing"}})
    assert (found.payment_intent, found.intent_status) == ("pi_1", "processing")


def test_a_fresh_session_has_an_address_and_nothing_of_a_payment() -> None:
    fresh = {
        **SESSION,
        "status": "open",
        "payment_status": "unpaid",
        "payment_intent": None,
        "customer_details": None,
        "url": "https://pay.example",
    }
    found = from_session(fresh)
    assert (found.payment_intent, found.intent_status, found.email) == ("", "", "")
    assert found.url == "https://pay.example"


def test_the_order_is_found_by_the_reference_where_metadata_does_not_name_it() -> None:
    found = from_session({**SESSION, "metadata": {}})
    assert (found.order, found.shop) == ("o1", "")
    assert from_session({"id": "cs_1"}) == Payment(session="cs_1")


def test_a_session_that_names_two_orders_is_of_neither() -> None:
    """Its metadata was edited; the order is settled by asking for its own session."""
    assert from_session({**SESSION, "metadata": {"order": "o2", "shop": "s"}}).order == ""
    assert from_session({**SESSION, "client_reference_id": "o2"}).order == ""


def test_a_payment_of_our_own_page_stands_for_the_order_s_session() -> None:
    """Its status is told in a session's words, and money that is authorised keeps its deadline."""
    intent = {
        "id": "pi_1",
        "amount": 2500,
        "currency": "usd",
        "client_secret": "pi_1_secret",
        "metadata": {"order": "o1", "form": "elements"},
        "latest_charge": {
            "id": "ch_1",
            "payment_method_details": {"card": {"capture_before": 1795600000}},
        },
    }
    for status, told in (
        ("requires_payment_method", "open"),
        ("requires_action", "open"),
        ("processing", "complete"),
        ("requires_capture", "complete"),
        ("succeeded", "complete"),
        ("canceled", "expired"),
    ):
        found = from_intent({**intent, "status": status})
        assert (found.session, found.session_status) == ("pi_1", told)
        assert (found.client_secret, found.capture_before) == ("pi_1_secret", 1795600000)
        assert "pi_1_secret" not in repr(found)
    hosted = from_intent({**intent, "status": "succeeded", "metadata": {"order": "o1"}})
    assert (hosted.session, hosted.session_status) == ("", "")


def test_a_payment_alone() -> None:
    intent = {
        "id": "pi_1",
        "status": "succeeded",
        "amount": 2500,
        "currency": "usd",
        "livemode": False,
        "receipt_email": "ada@example.com",
        "created": 1795000000,
        "metadata": {"order": "o1", "shop": "s"},
    }
    assert from_intent(intent) == Payment(
        order="o1",
        shop="s",
        payment_intent="pi_1",
        intent_status="succeeded",
        amount=2500,
        currency="usd",
        email="ada@example.com",
        created=1795000000,
        metadata={"order": "o1", "shop": "s"},
    )
    least = {"id": "pi_1", "status": "processing", "amount": 2500, "currency": "usd"}
    assert from_intent(least) == Payment(
        payment_intent="pi_1", intent_status="processing", amount=2500, currency="usd"
    )


@pytest.mark.parametrize("payment", ["pi_1", {"id": "pi_1"}])
def test_a_refund_with_its_payment_expanded_or_not(payment: object) -> None:
    fact = from_refund(
        {
            "id": "re_1",
            "payment_intent": payment,
            "amount": 700,
            "status": "failed",
            "metadata": {"order": "o1", "shop": "s", "reason": "sold_out"},
        }
    )
    assert (fact.id, fact.payment_intent, fact.amount, fact.status) == (
        "re_1",
        "pi_1",
        700,
        "failed",
    )
    assert (fact.order, fact.shop, fact.reason) == ("o1", "s", "sold_out")


def test_a_refund_made_in_the_dashboard_has_nothing_of_ours() -> None:
    fact = from_refund({"id": "re_1", "payment_intent": None, "amount": 700, "status": None})
    assert (fact.payment_intent, fact.status, fact.order, fact.reason) == ("", "pending", "", "")


def test_a_subscription_that_was_paid_has_no_payment_of_its_own() -> None:
    """Other parts of the account's business are none of the shop's, but no mistake of Stripe's."""
    assert (
        from_session({**SESSION, "mode": "subscription", "payment_intent": None}).session == "cs_1"
    )


def test_words_that_stripe_may_yet_invent_are_kept() -> None:
    assert from_refund({"id": "re_1", "amount": 700, "status": "on_hold_2"}).status == "on_hold_2"
    assert from_session({**SESSION, "status": "paused"}).session_status == "paused"


def test_a_charge_made_without_a_payment_belongs_to_none() -> None:
    assert from_charge({"id": "ch_1", "payment_intent": None}).payment_intent == ""


def test_letters_of_all_scripts_are_text() -> None:
    found = from_session({**SESSION, "customer_details": {"email": "ådà@münchen.example"}})
    assert found.email == "ådà@münchen.example"


def _tells(kind: str) -> bool:
    """Whether an event of this type is read as a fact; one that is only half there counts too."""
    about = "dispute" if "dispute" in kind else kind.rpartition(".")[0]
    event = {"id": "evt_1", "type": kind, "livemode": False}
    try:
        found = from_event({**event, "data": {"object": {"id": "x_1", "object": about}}})
    except Malformed:
        return True
    return found.fact is not None


def test_each_type_of_event_that_the_shop_wants_to_hear_of_tells_it_something() -> None:
    assert [kind for kind in HANDLED if not _tells(kind)] == []
    assert not _tells("customer.created")
    assert not _tells("charge.succeeded")

"""An answer of Stripe's that cannot be read says nothing: it is unknown, never a no."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import stripe as library

from storefront.clients.stripe_api import Stripe
from storefront.domain.errors import StripeUnreachable
from tests.clients.wire import Answer, Wire, listening
from tests.fakes import objects
from tests.fakes.description import wanted

SESSION = objects.session("cs_1", wanted(), created=1795000000, livemode=False)
INTENT = objects.intent("pi_1", SESSION, {}, created=1795000000)
CHARGE = objects.charge("ch_1", INTENT, created=1795000000)
REFUND = objects.refund("re_1", CHARGE, 5000, "succeeded", {}, created=1795000000)


@pytest.fixture
def wire() -> Iterator[Wire]:
    with listening() as wire:
        yield wire


@pytest.fixture
def counted() -> list[tuple[str, str]]:
    """Name and outcome of each call."""
    return []


@pytest.fixture
def stripe(
    wire: Wire, counted: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stripe]:
    monkeypatch.setattr(library.HTTPClient, "INITIAL_DELAY", 0)
    client = Stripe(
        "sk_test_x", api_base=wire.url, count=lambda call, outcome: counted.append((call, outcome))
    )
    yield client
    client._client._requestor._client._session.close()  # type: ignore[attr-defined]


PRODUCT = {"object": "product", "id": "p_1", "name": "P", "metadata": {}, "active": True}


ONE: dict[str, tuple[Callable[[Stripe], object], dict[str, Any]]] = {
    "create_session": (lambda s: s.create_session(wanted(), "k"), SESSION),
    "session": (lambda s: s.session("cs_1"), SESSION),
    "expire_session": (lambda s: s.expire_session("cs_1"), SESSION),
    "intent": (lambda s: s.intent("pi_1"), INTENT),
    "product": (lambda s: s.product("p_1"), PRODUCT),
    "create_refund": (lambda s: s.create_refund("pi_1", amount=1, metadata={}, key="k"), REFUND),
}
MANY: dict[str, tuple[Callable[[Stripe], object], dict[str, Any]]] = {
    "sessions_between": (lambda s: list(s.sessions_between(1, 2)), SESSION),
    "refunds": (lambda s: s.refunds("pi_1"), REFUND),
    "products": (lambda s: list(s.products(["p_1"])), PRODUCT),
    "refunds_between": (lambda s: list(s.refunds_between(1, 2)), REFUND),
}


def spoilt(found: dict[str, Any]) -> list[object]:
    """Such an object as Stripe never sends it."""
    if found["object"] == "product":
        wrong = {"id": None, "name": 5, "active": "yes", "metadata": {"sku": 5}}
        return [{**found, name: value} for name, value in wrong.items()]
    amount = "amount_total" if "amount_total" in found else "amount"
    return [
        {**found, "id": None},
        {**found, "id": 5},
        {**found, amount: "5000"},
        {**found, amount: 50.5},
        {**found, amount: float("nan")},
        {**found, "status": ["open"]},
        {**found, "metadata": "text"},
        {**found, "metadata": {"order": 5}},
    ]


@pytest.mark.parametrize("call", ONE)
def test_an_object_that_cannot_be_read_is_an_unknown_outcome(
    stripe: Stripe, wire: Wire, counted: list[tuple[str, str]], call: str
) -> None:
    run, found = ONE[call]
    for body in (None, [], 5, {}, "text", *spoilt(found)):
        wire.plan(Answer(body=body))
        with pytest.raises(StripeUnreachable):
            run(stripe)
        assert wire.answers == []
    assert {outcome for _, outcome in counted} == {"unknown"}


def page(*data: object, **changes: object) -> dict[str, Any]:
    return {"object": "list", "url": "/v1/x", "has_more": False, "data": [*data]} | changes


@pytest.mark.parametrize("call", MANY)
def test_a_list_that_cannot_be_read_to_its_end_is_never_taken_for_a_short_one(
    stripe: Stripe, wire: Wire, counted: list[tuple[str, str]], call: str
) -> None:
    """Most of all not for an empty one: what it does not show would be made again."""
    run, found = MANY[call]
    bad: list[object] = [
        None,
        [],
        {},
        5,
        page(5),
        page([found]),
        page(data=None),
        page(data={}),
        {"object": "list", "url": "/v1/x", "has_more": False},
        page(found, has_more=None),
        page(found, has_more="yes"),
        page(found, has_more=True, url=None),
        page(has_more=True),
        *(page(found, one) for one in spoilt(found)),
    ]
    for body in bad:
        wire.plan(Answer(body=body))
        with pytest.raises(StripeUnreachable):
            run(stripe)
        assert wire.answers == []
    assert {outcome for _, outcome in counted} == {"unknown"}


@pytest.mark.parametrize("call", MANY)
def test_a_list_is_read_page_by_page(stripe: Stripe, wire: Wire, call: str) -> None:
    run, found = MANY[call]
    wire.plan(
        Answer(body=page({**found, "id": "x_1"}, {**found, "id": "x_2"}, has_more=True)),
        Answer(body=page({**found, "id": "x_3"})),
    )
    read = run(stripe)
    assert isinstance(read, list)
    assert len(read) == 3
    assert wire.requests[1].query["starting_after"] == "x_2"


def test_a_balance_that_does_not_say_its_mode_proves_no_key(stripe: Stripe, wire: Wire) -> None:
    for body in ({"object": "balance"}, {"object": "balance", "livemode": "yes"}, []):
        wire.plan(Answer(body=body))
        with pytest.raises(StripeUnreachable):
            stripe.mode()


def test_a_replayed_creation_whose_answer_cannot_be_read_is_unknown(
    stripe: Stripe, wire: Wire
) -> None:
    wire.plan(Answer(body=json.dumps([SESSION]), headers={"Idempotent-Replayed": "true"}))
    with pytest.raises(StripeUnreachable):
        stripe.create_session(wanted(), "k")

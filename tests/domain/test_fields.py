"""Each field of what Stripe sends is read strictly, or the whole of it is Malformed."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from storefront.domain.fields import Malformed
from storefront.domain.payments import from_charge, from_intent, from_refund, from_session

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
INTENT = {
    "id": "pi_1",
    "status": "succeeded",
    "amount": 2500,
    "currency": "usd",
    "livemode": True,
    "receipt_email": None,
    "created": 1795000000,
    "metadata": {"order": "o1", "shop": "s"},
}
REFUND = {
    "id": "re_1",
    "payment_intent": "pi_1",
    "amount": 700,
    "status": "succeeded",
    "metadata": {"order": "o1", "shop": "s", "reason": "sold_out"},
}
CHARGE = {"id": "ch_1", "payment_intent": "pi_1", "metadata": {"order": "o1", "shop": "s"}}
HALF = "\ud800"
NO_TEXT: tuple[object, ...] = (
    5,
    True,
    False,
    0,
    1.5,
    float("nan"),
    [],
    ["x"],
    {},
    HALF,
    "x" * 5001,
)
NO_ID: tuple[object, ...] = (*NO_TEXT[:-3], {}, {"id": 5}, {"id": HALF}, "", "a b", "a:b", HALF)
NO_WORD = (*NO_TEXT, "Paid", "pa id", "<b>", "1")
NO_NUMBER: tuple[object, ...] = (
    True,
    False,
    -1,
    2500.0,
    float("nan"),
    float("inf"),
    10**14,
    10**400,
    "2500",
    "",
    [],
    {},
)
NO_FLAG: tuple[object, ...] = (0, 1, "", "true", [], {}, 0.0)
NO_PART: tuple[object, ...] = (5, "text", True, False, 0, "", [], ["a list"])
NO_LINE = (*NO_TEXT, "a\nb", "a\x00")
READERS: list[tuple[Callable[[Mapping[str, Any]], object], Mapping[str, Any], dict[str, Any]]] = [
    (
        from_session,
        SESSION,
        {
            "id": NO_ID,
            "status": NO_WORD,
            "payment_status": NO_WORD,
            "payment_intent": NO_ID,
            "amount_total": NO_NUMBER,
            "currency": NO_WORD,
            "livemode": NO_FLAG,
            "customer_details": NO_PART,
            "customer_details.email": NO_LINE,
            "url": NO_LINE,
            "created": NO_NUMBER,
            "client_reference_id": NO_TEXT,
            "expires_at": NO_NUMBER,
            "metadata.lines": NO_TEXT,
            "metadata": NO_PART,
            "metadata.order": NO_TEXT,
            "metadata.shop": NO_TEXT,
        },
    ),
    (
        from_intent,
        INTENT,
        {
            "id": NO_ID,
            "status": NO_WORD,
            "amount": NO_NUMBER,
            "currency": NO_WORD,
            "livemode": NO_FLAG,
            "receipt_email": NO_LINE,
            "created": NO_NUMBER,
            "metadata": NO_PART,
            "metadata.order": NO_TEXT,
            "metadata.shop": NO_TEXT,
        },
    ),
    (
        from_refund,
        REFUND,
        {
            "id": NO_ID,
            "payment_intent": NO_ID,
            "amount": NO_NUMBER,
            "status": NO_WORD,
            "metadata": NO_PART,
            "metadata.order": NO_TEXT,
            "metadata.shop": NO_TEXT,
            "metadata.reason": NO_TEXT,
        },
    ),
    (
        from_charge,
        CHARGE,
        {
            "id": NO_ID,
            "payment_intent": NO_ID,
            "metadata": NO_PART,
            "metadata.order": NO_TEXT,
            "metadata.shop": NO_TEXT,
        },
    ),
]


def with_field(found: Mapping[str, Any], path: str, value: object) -> dict[str, Any]:
    """The object with another value at a dotted path."""
    name, _, rest = path.partition(".")
    return {**found, name: with_field(found[name], rest, value) if rest else value}


@pytest.mark.parametrize(
    ("read", "found", "path", "value"),
    [
        pytest.param(read, found, path, value, id=f"{read.__name__}-{path}-{value!r:.20}")
        for read, found, paths in READERS
        for path, values in paths.items()
        for value in values
    ],
)
def test_a_field_that_is_not_what_stripe_sends_is_malformed_and_named_but_never_repeated(
    read: Callable[[Mapping[str, Any]], object],
    found: Mapping[str, Any],
    path: str,
    value: object,
) -> None:
    read(found)
    with pytest.raises(Malformed) as caught:
        read(with_field(found, path, value))
    said = str(caught.value)
    assert path.rpartition(".")[2] in said or "id is no id" in said
    assert "ada@example.com" not in said


def test_a_name_in_metadata_is_text_too() -> None:
    with pytest.raises(Malformed, match="a name"):
        from_session({**SESSION, "metadata": {HALF: "x"}})


@pytest.mark.parametrize(("read", "found", "paths"), READERS)
def test_an_object_without_its_id_is_malformed(
    read: Callable[[Mapping[str, Any]], object], found: Mapping[str, Any], paths: object
) -> None:
    for spoilt in ({k: v for k, v in found.items() if k != "id"}, {**found, "id": None}):
        with pytest.raises(Malformed, match="id"):
            read(spoilt)


@pytest.mark.parametrize(
    ("read", "found", "name"),
    [
        (from_session, SESSION, "amount_total"),
        (from_session, SESSION, "currency"),
        (from_session, SESSION, "payment_intent"),
        (from_session, {**SESSION, "mode": "payment"}, "payment_intent"),
        (from_intent, INTENT, "amount"),
        (from_intent, INTENT, "currency"),
        (from_intent, INTENT, "status"),
        (from_refund, REFUND, "amount"),
    ],
)
def test_money_without_its_amount_currency_or_payment_is_malformed(
    read: Callable[[Mapping[str, Any]], object], found: Mapping[str, Any], name: str
) -> None:
    for spoilt in ({k: v for k, v in found.items() if k != name}, {**found, name: None}):
        with pytest.raises(Malformed, match=f"{name} is missing"):
            read(spoilt)

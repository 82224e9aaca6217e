"""Only an event that Stripe signed is taken."""

import json

import pytest
import stripe as library

from storefront.domain.errors import SignatureInvalid
from storefront.services import events
from tests.services.town import Town


def signed(body: bytes, secret: str = "whsec_x", at: int | None = None) -> str:
    header: str = library.WebhookSignature.generate_signature_header(
        body.decode("utf-8", "surrogateescape"), secret, at
    )
    return header


@pytest.mark.parametrize(
    "header",
    ["", "t=1,v1=abc", "v1=abc", "t=x,v1=y", "t=,v1=", "garbage", "t=1=2,v1=3", ",,,"],
)
def test_a_signature_that_is_none_is_refused(town: Town, header: str) -> None:
    with pytest.raises(SignatureInvalid):
        events.receive(town.shop, b'{"id": "evt_1"}', header)


def test_a_body_signed_by_another_or_too_long_ago_is_refused(town: Town) -> None:
    body = json.dumps({"id": "e", "type": "x", "data": {"object": {}}}).encode()
    now = town.shop.store.now() // 1000
    for header in (signed(body, "whsec_other"), signed(body, at=now - 301)):
        with pytest.raises(SignatureInvalid):
            events.receive(town.shop, body, header)
    assert events.receive(town.shop, body, signed(body, at=now - 299)) == "ignored"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'"text"',
        b"{",
        b'{"id": 1, "type": "x", "data": {"object": {}}}',
        b'{"id": "e", "type": null, "data": {"object": {}}}',
        b'{"id": "e", "type": "x", "data": {"object": []}}',
        b'{"id": "e", "type": "x", "data": null}',
        b"[" * 100_000,
    ],
)
def test_a_signed_body_that_is_no_event_is_refused(town: Town, body: bytes) -> None:
    with pytest.raises(SignatureInvalid):
        events.receive(town.shop, body, signed(body))


def test_a_body_that_is_no_text_is_refused(town: Town) -> None:
    with pytest.raises(SignatureInvalid):
        events.receive(town.shop, b"\xff\xfe", "t=1,v1=x")


def test_several_secrets_are_accepted_while_one_rolls(town: Town) -> None:
    town.stripe._webhook_secrets = ("whsec_new", "whsec_old")
    body = json.dumps({"id": "e", "type": "x", "data": {"object": {}}}).encode()
    for number, secret in enumerate(("whsec_new", "whsec_old")):
        word = events.receive(town.shop, body, signed(body, secret))
        assert word == ("ignored" if number == 0 else "repeat")
    with pytest.raises(SignatureInvalid):
        events.receive(town.shop, body, signed(body, "whsec_older"))

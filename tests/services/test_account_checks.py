"""What is said of a Stripe account that is not set up for what the settings ask of it."""

from collections.abc import Callable
from typing import Any

import pytest

from storefront.domain.events import HANDLED
from storefront.domain.stripe_account import Endpoint, Standing, TaxSettings
from storefront.services import account_checks
from storefront.services.findings import Finding, Level
from tests.fakes.faults import Fault
from tests.fakes.stripe import FakeStripe
from tests.services.conftest import Build
from tests.services.town import Town

ELEMENTS = {"CHECKOUT_UI": "elements", "STRIPE_PUBLISHABLE_KEY": "pk_test_x"}
SENT = {"DELIVERY": "both", "DELIVERY_COUNTRIES": "DE,AT", "DELIVERY_RATE": "4.90"}
TAXED = {"AUTOMATIC_TAX": "on"}
CARDS = {"DELAYED_METHODS": "off"}
CODES = {"PROMOTION_CODES": "on"}


def found(town: Town) -> dict[str, Finding]:
    return {one.name: one for one in account_checks.examine(town.shop)}


def endpoint(town: Town, *events: str, status: str = "enabled") -> Endpoint:
    url = f"{town.shop.settings.public_url}/webhooks/stripe"
    return Endpoint(url, status, frozenset(events))


@pytest.mark.parametrize(
    ("settings", "name", "says"),
    [
        (CARDS, "capture", "Money is taken at once, by card and wallet."),
        (CARDS | {"CAPTURE_METHOD": "manual"}, "capture", "Cards are authorised first"),
        ({"DELAYED_METHODS": "on"}, "capture", "its units stay held as long"),
        ({}, "page", "Stripe's own page"),
        (ELEMENTS, "page", "both of Stripe's keys are test keys"),
        ({}, "delivery", "picked up"),
        (SENT, "delivery", "Orders are sent to DE, AT for $4.90, or picked up."),
        (
            {**SENT, "DELIVERY": "delivery", "DELIVERY_FREE_FROM": "50.00"},
            "delivery",
            "for $4.90, free from $50.00.",
        ),
        (TAXED, "tax", "registrations: 1"),
        (CODES, "codes", "takes the account's promotion codes"),
    ],
)
def test_what_the_settings_come_to_is_told(
    build: Build, settings: dict[str, str], name: str, says: str
) -> None:
    finding = found(build(**settings))[name]
    assert finding.level is Level.OK
    assert says in finding.detail


def unready(change: Callable[[FakeStripe], Any]) -> Callable[[Town], None]:
    return lambda town: change(town.stripe)


@pytest.mark.parametrize(
    ("settings", "change", "name", "level", "says"),
    [
        ({}, unready(lambda s: setattr(s, "stands", Standing(False, ""))), "payments",
         Level.PROBLEM, "may not take payments yet"),
        ({}, unready(lambda s: setattr(s, "stands", Standing(True, "pending"))), "payments",
         Level.PROBLEM, "may not take cards: that is pending"),
        ({}, unready(lambda s: s.fault("standing", Fault.REFUSED)), "payments",
         Level.WARNING, "did not say what the account may do"),
        ({"CAPTURE_METHOD": "manual", "DELAYED_METHODS": "on"}, lambda _: None, "capture",
         Level.WARNING, "cannot be authorised first"),
        (TAXED, unready(lambda s: setattr(s, "taxes", TaxSettings("pending", ("head_office",), 0))),
         "tax", Level.PROBLEM, "(head_office is missing): nobody can pay"),
        (TAXED, unready(lambda s: setattr(s, "taxes", TaxSettings("active", (), 0))), "tax",
         Level.WARNING, "adds no tax anywhere"),
        (TAXED, unready(lambda s: s.fault("tax_settings", Fault.REFUSED)), "tax",
         Level.WARNING, "did not say whether"),
        (CODES, unready(lambda s: setattr(s, "has_codes", False)), "codes",
         Level.WARNING, "no code that is active"),
        (CODES, unready(lambda s: s.fault("takes_codes", Fault.LOST_REQUEST)), "codes",
         Level.WARNING, "did not list its promotion codes"),
        ({}, unready(lambda s: s.fault("webhook_endpoints", Fault.REFUSED)), "webhook",
         Level.WARNING, "did not list its webhooks"),
    ],
)  # fmt: skip
def test_what_is_not_set_up_is_told_with_the_cure(
    build: Build,
    settings: dict[str, str],
    change: Callable[[Town], None],
    name: str,
    level: Level,
    says: str,
) -> None:
    town = build(**settings)
    change(town)
    finding = found(town)[name]
    assert (finding.level, bool(finding.mend)) == (level, True)
    assert says in finding.detail


def test_what_is_switched_off_is_not_asked_about(town: Town) -> None:
    assert not {"tax", "codes"} & found(town).keys()
    assert not {"tax_settings", "takes_codes"} & {call for call, _ in town.stripe.wire.calls}


def test_a_webhook_counts_when_it_is_ours_switched_on_and_hears_everything(town: Town) -> None:
    elsewhere = Endpoint("https://other.example/webhooks/stripe", "enabled", frozenset("*"))
    for nothing in ([], [elsewhere], [endpoint(town, "*", status="disabled")]):
        town.stripe.endpoints = nothing
        assert "does not send its events" in found(town)["webhook"].detail
    for enough in (
        [endpoint(town, "*")],
        [endpoint(town, *HANDLED)],
        [endpoint(town, *HANDLED[:5]), elsewhere, endpoint(town, *HANDLED[5:])],
    ):
        town.stripe.endpoints = enough
        assert found(town)["webhook"].level is Level.OK
    for missing in HANDLED:
        town.stripe.endpoints = [endpoint(town, *(set(HANDLED) - {missing}))]
        finding = found(town)["webhook"]
        assert finding.level is Level.WARNING
        assert f"Stripe does not send {missing} to" in finding.detail

"""What a Stripe account is set to, as far as a shop depends on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from storefront.domain import fields


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A webhook endpoint of the account."""

    url: str
    status: str
    """``enabled`` or ``disabled``."""
    events: frozenset[str]
    """Types of events that it gets; ``*`` stands for all."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the account may do."""

    charges: bool
    """Whether it can take payments."""
    cards: str
    """``active``, ``pending`` or ``inactive``; empty when Stripe does not tell."""


@dataclass(frozen=True, slots=True)
class TaxSettings:
    """Whether the account can work out tax."""

    status: str
    """``active`` or ``pending``."""
    missing: tuple[str, ...]
    """What must be filled in before it can, by Stripe's names."""
    registered: int
    """In so many places it collects tax; everywhere else the tax is 0."""


def from_endpoint(endpoint: Mapping[str, Any]) -> Endpoint:
    """The facts in a WebhookEndpoint. Raises Malformed."""
    return Endpoint(
        url=fields.line(endpoint, "url"),
        status=fields.word(endpoint, "status"),
        events=frozenset(_words(endpoint, "enabled_events")),
    )


def from_account(account: Mapping[str, Any]) -> Standing:
    """The facts in an Account. Raises Malformed."""
    fields.required(account, "charges_enabled")
    return Standing(
        charges=fields.flag(account, "charges_enabled"),
        cards=fields.word(fields.part(account, "capabilities"), "card_payments"),
    )


def from_tax_settings(settings: Mapping[str, Any], registered: int) -> TaxSettings:
    """The facts in the account's tax settings. Raises Malformed."""
    fields.required(settings, "status")
    pending = fields.part(fields.part(settings, "status_details"), "pending")
    return TaxSettings(
        status=fields.word(settings, "status"),
        missing=_words(pending, "missing_fields"),
        registered=registered,
    )


def _words(found: Mapping[str, Any], name: str) -> tuple[str, ...]:
    given = found.get(name) or []
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise fields.Malformed(f"{name} is no list of names")
    return tuple(given)

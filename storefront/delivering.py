"""The settings of what may come on top of the goods: delivery, tax and promotion codes."""

import re
from dataclasses import dataclass

from storefront.domain.countries import SHIPPED_TO
from storefront.domain.money import parse_amount
from storefront.environment import Environment, SettingsError, wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivering:
    """How goods may reach their buyers, and what Stripe's page adds or takes off."""

    delivery: str
    """``pickup``, ``delivery`` or ``both``."""
    delivery_countries: tuple[str, ...]
    """Two letters each; none while everything is picked up."""
    delivery_rate: int
    """Minor units of the shop's currency."""
    delivery_free_from: int | None
    """Goods of so many minor units are sent free; None: never."""
    automatic_tax: bool
    promotion_codes: bool


def read_delivering(env: Environment, currency: str, checkout_ui: str) -> Delivering:
    """The settings, checked beside each other. Raises SettingsError."""
    delivery = env.choice("DELIVERY", "pickup", ("pickup", "delivery", "both"))
    sends = delivery != "pickup"
    countries = _countries(env)
    if sends and not countries:
        raise SettingsError(
            f"DELIVERY is {delivery!r} and DELIVERY_COUNTRIES is not set: allowed are the two "
            "letters of each country that you send to, such as DE,AT,CH."
        )
    rate = _amount(env, "DELIVERY_RATE", currency, free=True)
    if sends and rate is None:
        raise SettingsError(
            f"DELIVERY is {delivery!r} and DELIVERY_RATE is not set: allowed is what sending costs "
            "in SHOP_CURRENCY, such as 4.90, or 0."
        )
    return Delivering(
        delivery=delivery,
        delivery_countries=countries if sends else (),
        delivery_rate=rate or 0,
        delivery_free_from=_amount(env, "DELIVERY_FREE_FROM", currency),
        automatic_tax=_hosted_only(env, "AUTOMATIC_TAX", checkout_ui),
        promotion_codes=_hosted_only(env, "PROMOTION_CODES", checkout_ui),
    )


def _countries(env: Environment) -> tuple[str, ...]:
    value = env.get("DELIVERY_COUNTRIES")
    found = [part.strip().upper() for part in value.split(",") if part.strip()]
    for code in found:
        if code not in SHIPPED_TO:
            raise wrong(
                "DELIVERY_COUNTRIES",
                code[:40],
                "the two letters of each country that Stripe's page can ask an address in, such as "
                "DE,AT,CH",
            )
    return tuple(dict.fromkeys(found))


def _amount(env: Environment, name: str, currency: str, *, free: bool = False) -> int | None:
    value = env.get(name)
    if not value:
        return None
    if free and re.fullmatch(r"0(\.0{1,3})?", value):
        return 0
    try:
        return parse_amount(value[:20], currency)
    except ValueError as error:
        raise SettingsError(
            f"{name} is no amount in SHOP_CURRENCY: {error}; allowed is text like 4.90."
        ) from None


def _hosted_only(env: Environment, name: str, checkout_ui: str) -> bool:
    on = env.switch(name, default=False)
    if on and checkout_ui == "elements":
        raise SettingsError(
            f"{name} is on and CHECKOUT_UI is 'elements': allowed is on only with Stripe's own page "
            "(CHECKOUT_UI=hosted)."
        )
    return on

"""Stripe's rules about the texts in a request: metadata, addresses of mail and of pages."""

import re
from typing import Any
from urllib.parse import urlsplit

from .errors import invalid

EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


def metadata(given: dict[str, str] | str | None, param: str = "metadata") -> dict[str, str]:
    """Metadata within Stripe's limits: 50 keys, keys of 40 and values of 500 characters."""
    values = given if isinstance(given, dict) else {}
    if len(values) > 50:
        raise invalid(f"Metadata can have at most 50 keys; you passed {len(values)}.", param)
    for key, value in values.items():
        name = f"{param}[{key}]"
        if len(key) > 40:
            raise invalid(f"Metadata keys can be up to 40 characters long: '{key}'.", name)
        if len(value) > 500:
            raise invalid("Metadata values can have up to 500 characters.", name)
    return {key: value for key, value in values.items() if value != ""}


def merged(old: dict[str, str], given: dict[str, str] | str | None) -> dict[str, str]:
    """The metadata after an update: an empty value unsets its key, an empty whole unsets all."""
    if given is None:
        return old
    if isinstance(given, str) or not given:
        return {}
    set_now = metadata(given)
    kept = {key: value for key, value in old.items() if given.get(key) != ""}
    return metadata({**kept, **set_now})


def email(value: str | None, param: str) -> str | None:
    """A mail address that looks like one."""
    if value is not None and not EMAIL.fullmatch(value):
        raise invalid(f"Invalid email address: {value}", param, "email_invalid")
    return value


def page_url(value: str | None, param: str) -> str | None:
    """An absolute address of a web page."""
    if value is None:
        return None
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        good = False
    if not good or re.search(r"\s", value):
        raise invalid("Not a valid URL", param, "url_invalid")
    return value


def custom_text(given: dict[str, Any] | None) -> dict[str, Any]:
    """The four places for own texts on the payment page."""
    places: dict[str, Any] = dict.fromkeys(
        ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")
    )
    for place, value in (given or {}).items():
        if value:
            places[place] = {"message": value["message"]}
    return places

"""Stripe's errors: what the API answers when it refuses."""

from typing import Any


class StripeError(Exception):
    """A refusal in Stripe's shape: ``{"error": {"type", "code", "message", "param"}}``.

    `kept` says whether an idempotency key keeps this answer. Stripe keeps the outcome of a request
    once its execution began; a request that fails the check of its own parameters never began.
    Whatever a handler changed before it raised is stored when `kept`, and undone when not.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        type: str = "invalid_request_error",  # noqa: A002 - the name of the field on the wire
        code: str | None = None,
        param: str | None = None,
        kept: bool = True,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kept = kept
        fields = {"code": code, "message": message, "param": param, "type": type, **more}
        self.fields = {name: value for name, value in fields.items() if value is not None}


def invalid(message: str, param: str | None = None, code: str | None = None) -> StripeError:
    """A parameter that is wrong by itself; no idempotency key keeps this answer."""
    return StripeError(message, param=param, code=code, kept=False)


def missing(param: str) -> StripeError:
    """A required parameter that was not sent."""
    return invalid(f"Missing required param: {param}.", param, "parameter_missing")


def no_such(kind: str, id: str, param: str | None = None) -> StripeError:  # noqa: A002
    """An object that does not exist: 404 for one named by the path, 400 for one by a parameter."""
    return StripeError(
        f"No such {kind.replace('.', '_')}: '{id}'",
        status=400 if param else 404,
        code="resource_missing",
        param=param or "id",
    )


def not_modelled(what: str, param: str) -> StripeError:
    """Something Stripe can do and the stand-in cannot: refused, never silently ignored."""
    return invalid(f"The Stripe stand-in does not model {what}.", param, "standin_not_modelled")


def server_error() -> StripeError:
    """Stripe's own failure."""
    return StripeError(
        "An unknown error occurred. (The Stripe stand-in was told to fail here.)",
        status=500,
        type="api_error",
    )

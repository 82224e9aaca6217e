"""Every call of the API: method, path, the parameters it takes, and who answers it.

Parameter types come from `stripe.params`; DELETE and the two calls that take `expand` alone have
types of their own in the package too.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stripe import params
from stripe.params import checkout
from stripe.params import tax as tax_params

from . import (
    balance,
    charges,
    disputes,
    events,
    parameters,
    payment_intents,
    payment_links,
    prices,
    products,
    refunds,
    sessions,
    tax,
    totals,
    webhook_endpoints,
)
from .errors import StripeError
from .state import Json

Handler = Callable[..., Json]


@dataclass(frozen=True)
class Route:
    """One call of the API."""

    method: str
    pattern: re.Pattern[str]
    params: Any
    handler: Handler

    def check(self, given: Json) -> Json:
        """The parameters, typed; StripeError 400 names the first that is wrong."""
        return parameters.check(self.params, given)


def route(method: str, path: str, params_type: Any, handler: Handler) -> Route:
    """A route; ``*`` in the path stands for an id."""
    pattern = re.escape(path).replace(r"\*", "([^/]+)")
    return Route(method, re.compile(f"/v1/{pattern}"), params_type, handler)


ROUTES = [
    route("POST", "checkout/sessions", checkout.SessionCreateParams, sessions.create),
    route("GET", "checkout/sessions", checkout.SessionListParams, sessions.list_all),
    route("GET", "checkout/sessions/*", checkout.SessionRetrieveParams, sessions.retrieve),
    route("POST", "checkout/sessions/*", checkout.SessionUpdateParams, sessions.update),
    route("POST", "checkout/sessions/*/expire", checkout.SessionExpireParams, sessions.expire),
    route(
        "GET",
        "checkout/sessions/*/line_items",
        checkout.SessionListLineItemsParams,
        sessions.items,
    ),
    route("POST", "payment_intents", params.PaymentIntentCreateParams, payment_intents.create),
    route("GET", "payment_intents", params.PaymentIntentListParams, payment_intents.list_all),
    route("GET", "payment_intents/*", params.PaymentIntentRetrieveParams, payment_intents.retrieve),
    route("POST", "payment_intents/*", params.PaymentIntentUpdateParams, payment_intents.update),
    route(
        "POST",
        "payment_intents/*/confirm",
        params.PaymentIntentConfirmParams,
        payment_intents.confirm,
    ),
    route(
        "POST",
        "payment_intents/*/capture",
        params.PaymentIntentCaptureParams,
        payment_intents.capture,
    ),
    route(
        "POST",
        "payment_intents/*/cancel",
        params.PaymentIntentCancelParams,
        payment_intents.cancel,
    ),
    route("POST", "refunds", params.RefundCreateParams, refunds.create),
    route("GET", "refunds", params.RefundListParams, refunds.list_all),
    route("GET", "refunds/*", params.RefundRetrieveParams, refunds.retrieve),
    route("POST", "refunds/*", params.RefundUpdateParams, refunds.update),
    route("POST", "refunds/*/cancel", params.RefundCancelParams, refunds.cancel),
    route("GET", "charges", params.ChargeListParams, charges.list_all),
    route("GET", "charges/*", params.ChargeRetrieveParams, charges.retrieve),
    route(
        "GET",
        "balance_transactions",
        params.BalanceTransactionListParams,
        charges.list_entries,
    ),
    route(
        "GET",
        "balance_transactions/*",
        params.BalanceTransactionRetrieveParams,
        charges.retrieve_entry,
    ),
    route("GET", "disputes", params.DisputeListParams, disputes.list_all),
    route("GET", "disputes/*", params.DisputeRetrieveParams, disputes.retrieve),
    route("GET", "events", params.EventListParams, events.list_all),
    route("GET", "events/*", params.EventRetrieveParams, events.retrieve),
    route("POST", "products", params.ProductCreateParams, products.create),
    route("GET", "products", params.ProductListParams, products.list_all),
    route("GET", "products/*", params.ProductRetrieveParams, products.retrieve),
    route("POST", "products/*", params.ProductUpdateParams, products.update),
    route("POST", "prices", params.PriceCreateParams, prices.create),
    route("GET", "prices", params.PriceListParams, prices.list_all),
    route("GET", "prices/*", params.PriceRetrieveParams, prices.retrieve),
    route("POST", "prices/*", params.PriceUpdateParams, prices.update),
    route("POST", "payment_links", params.PaymentLinkCreateParams, payment_links.create),
    route("GET", "payment_links", params.PaymentLinkListParams, payment_links.list_all),
    route("GET", "payment_links/*", params.PaymentLinkRetrieveParams, payment_links.retrieve),
    route("POST", "payment_links/*", params.PaymentLinkUpdateParams, payment_links.update),
    route(
        "GET",
        "payment_links/*/line_items",
        params.PaymentLinkListLineItemsParams,
        payment_links.items,
    ),
    route(
        "POST",
        "webhook_endpoints",
        params.WebhookEndpointCreateParams,
        webhook_endpoints.create,
    ),
    route("GET", "webhook_endpoints", params.WebhookEndpointListParams, webhook_endpoints.list_all),
    route(
        "GET",
        "webhook_endpoints/*",
        params.WebhookEndpointRetrieveParams,
        webhook_endpoints.retrieve,
    ),
    route(
        "POST",
        "webhook_endpoints/*",
        params.WebhookEndpointUpdateParams,
        webhook_endpoints.update,
    ),
    route(
        "DELETE",
        "webhook_endpoints/*",
        params.WebhookEndpointDeleteParams,
        webhook_endpoints.delete,
    ),
    route("GET", "account", params.AccountRetrieveCurrentParams, balance.account),
    route("GET", "balance", params.BalanceRetrieveParams, balance.balance),
    route("GET", "tax/settings", tax_params.SettingsRetrieveParams, tax.settings),
    route("GET", "tax/registrations", tax_params.RegistrationListParams, tax.registrations),
    route("GET", "promotion_codes", params.PromotionCodeListParams, totals.list_codes),
]


def find(method: str, path: str) -> tuple[Route, tuple[str, ...]]:
    """The route of a request and the ids in its path; StripeError 404 when there is none."""
    for candidate in ROUTES:
        if candidate.method == method and (match := candidate.pattern.fullmatch(path)):
            return candidate, match.groups()
    raise StripeError(
        f"Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs or we "
        "can help at https://support.stripe.com/.",
        status=404,
        kept=False,
    )

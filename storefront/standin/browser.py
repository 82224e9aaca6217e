"""What a shopper's browser may ask of the API: to see one PaymentIntent, and to confirm it.

Such a call carries a publishable key and the client secret of the one intent that it is about. It
comes from the page of any shop, so its answers say that any origin may read them (CORS).
"""

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

from stripe import params

from . import parameters, payment_intents, refusals, routes
from .account import Account
from .deliveries import MODES, Fate
from .errors import StripeError, invalid, missing
from .state import Json

VISIBLE = tuple(
    "id object amount amount_details automatic_payment_methods canceled_at cancellation_reason"
    " capture_method client_secret confirmation_method created currency description"
    " last_payment_error livemode next_action payment_method payment_method_configuration_details"
    " payment_method_types processing receipt_email setup_future_usage shipping source"
    " status".split()
)
"""The fields of a PaymentIntent that a publishable key shows."""
LONGEST_DELAY_SECONDS = 7 * 24 * 3600
SETTLE_SECONDS = 5


class Card(TypedDict):
    """A card as the Payment Element sends it; the API reference leaves these fields out."""

    number: str
    exp_month: int
    exp_year: int
    cvc: NotRequired[str]


class Trial(TypedDict):
    """What the stand-in's own Payment Element lets a person choose for a trial."""

    webhooks: NotRequired[str]
    delay_seconds: NotRequired[float]


class Client(TypedDict):
    """The parameters that only a browser sends."""

    client_secret: str
    standin: NotRequired[Trial]


class ClientRoute(routes.Route):
    """One call of a browser: what it sends beside the parameters of the same call of a shop."""

    def check(self, given: Json) -> Json:
        """The parameters, typed; StripeError 400 names the first that is wrong."""
        own = {name: given[name] for name in Client.__annotations__ if name in given}
        rest = {name: value for name, value in given.items() if name not in own}
        checked = parameters.check(Client, own)
        data = rest.get("payment_method_data")
        if not isinstance(data, dict) or data.get("type") != "card":
            return checked | parameters.check(self.params, rest)
        if "card" not in data:
            raise missing("payment_method_data[card]")
        # Only browsers send cards, so the types of a shop's own library know every type but this.
        rest["payment_method_data"] = {**data, "type": "link"}
        card = rest["payment_method_data"].pop("card")
        checked |= parameters.check(self.params, rest)
        checked["payment_method_data"] |= {
            "type": "card",
            "card": parameters.checker(Card)(card, "payment_method_data[card]"),
        }
        return checked


def retrieve(account: Account, params: Json, id: str) -> Json:  # noqa: A002
    """GET /v1/payment_intents/{id} by a browser."""
    return visible(known(account, params, id))


def confirm(account: Account, params: Json, id: str) -> Json:  # noqa: A002
    """POST /v1/payment_intents/{id}/confirm by a browser."""
    trial = params.pop("standin", {})
    mode = trial.get("webhooks", "normal")
    if mode not in MODES:
        raise invalid(f"Must be one of {', '.join(MODES)}.", "standin[webhooks]")
    seconds = float(trial.get("delay_seconds", SETTLE_SECONDS))
    if not 0 <= seconds <= LONGEST_DELAY_SECONDS:
        raise invalid("Must be a number of seconds, up to a week.", "standin[delay_seconds]")
    intent = known(account, params, id)
    if intent["confirmation_method"] == "manual":
        raise refusals.unexpected_state(
            visible(intent),
            "This PaymentIntent's `confirmation_method` is `manual`: it can only be confirmed with "
            "a secret key.",
        )
    intent["_"]["fate"] = None if mode == "normal" else Fate(mode, seconds).__dict__
    account.put(intent)
    rest = {name: value for name, value in params.items() if name != "client_secret"}
    try:
        return visible(payment_intents.confirm(account, rest, id, seconds))
    except StripeError as error:
        if "payment_intent" in error.fields:
            error.fields["payment_intent"] = visible(error.fields["payment_intent"])
        raise


def known(account: Account, params: Json, id: str) -> Json:  # noqa: A002
    """The intent whose client secret the browser knows; StripeError for any other."""
    intent = account.get("payment_intent", id)
    refusals.check_secret(intent, params["client_secret"])
    return intent


def visible(intent: Mapping[str, Any]) -> Json:
    """What a publishable key shows of an intent."""
    return {name: intent[name] for name in VISIBLE if name in intent}


def client_route(method: str, path: str, params_type: Any, handler: routes.Handler) -> ClientRoute:
    """A call of a browser."""
    route = routes.route(method, path, params_type, handler)
    return ClientRoute(route.method, route.pattern, route.params, route.handler)


ROUTES = [
    client_route("GET", "payment_intents/*", params.PaymentIntentRetrieveParams, retrieve),
    client_route("POST", "payment_intents/*/confirm", params.PaymentIntentConfirmParams, confirm),
]


def find(method: str, path: str) -> tuple[routes.Route, tuple[str, ...]]:
    """The browser's call; StripeError 403 when it needs a secret key, 404 when there is none."""
    found = open_to_browsers(method, path)
    if found is not None:
        return found
    routes.find(method, path)
    raise StripeError(
        "This API call cannot be made with a publishable API key. Please use a secret API key. You "
        "can find a list of your API keys at https://dashboard.stripe.com/account/apikeys.",
        status=403,
        code="secret_key_required",
        kept=False,
    )


def open_to_browsers(method: str, path: str) -> tuple[routes.Route, tuple[str, ...]] | None:
    """The browser's call at this address, or None."""
    for route in ROUTES:
        if route.method == method and (match := route.pattern.fullmatch(path)):
            return route, match.groups()
    return None


def cors(method: str, path: str) -> list[tuple[str, str]]:
    """The headers by which the page of any shop may read the answer; none for other calls."""
    if open_to_browsers(method, path) is None:
        return []
    return [
        ("Access-Control-Allow-Origin", "*"),
        ("Access-Control-Expose-Headers", "Request-Id, Idempotent-Replayed"),
    ]


def preflight(path: str) -> list[tuple[str, str]]:
    """The answer's headers to a browser that asks whether it may call; none when it may not."""
    methods = [method for method in ("GET", "POST") if open_to_browsers(method, path)]
    if not methods:
        return []
    return [
        ("Access-Control-Allow-Origin", "*"),
        ("Access-Control-Allow-Methods", ", ".join(methods)),
        (
            "Access-Control-Allow-Headers",
            "Authorization, Content-Type, Idempotency-Key, Stripe-Version",
        ),
        ("Access-Control-Max-Age", "300"),
    ]

"""Requests are held against the parameter types that the `stripe` package ships."""

import pytest
import stripe
from stripe import params
from stripe._encode import _api_encode
from stripe.params import checkout

from storefront.standin.errors import StripeError
from storefront.standin.forms import decode
from storefront.standin.parameters import OPTIONS, check, checker
from storefront.standin.routes import ROUTES, Route
from tests.standin.conftest import Standin, line


def refused(params_type: type, encoded: str) -> dict[str, object]:
    with pytest.raises(StripeError) as caught:
        check(params_type, decode(encoded))
    assert caught.value.kept is False
    return caught.value.fields


def test_values_get_their_types():
    given = decode(
        "mode=payment&expires_at=1800000000&expand[]=payment_intent&expand[]=line_items"
        "&line_items[1][quantity]=2&line_items[0][quantity]=1&phone_number_collection[enabled]=true"
        "&metadata[order]=7&shipping_address_collection[allowed_countries][0]=DE"
        "&line_items[0][price_data][currency]=usd&line_items[0][price_data][unit_amount_decimal]=5"
    )
    checked = check(checkout.SessionCreateParams, given)
    assert checked["expires_at"] == 1_800_000_000
    assert checked["expand"] == ["payment_intent", "line_items"]
    assert [item["quantity"] for item in checked["line_items"]] == [1, 2]
    assert checked["phone_number_collection"] == {"enabled": True}
    assert checked["metadata"] == {"order": "7"}
    assert checked["line_items"][0]["price_data"]["unit_amount_decimal"] == 5


@pytest.mark.parametrize(
    ("encoded", "param", "code"),
    [
        ("nonsense=1", "nonsense", "parameter_unknown"),
        ("line_items[0][nonsense]=1", "line_items[0][nonsense]", "parameter_unknown"),
        ("payment_method_types[0]=card", "payment_method_types", "parameter_unknown"),
        ("api_key=sk_test", "api_key", "parameter_unknown"),
        ("a[b=1", "a[b", "parameter_unknown"),
        ("expires_at=soon", "expires_at", "parameter_invalid_integer"),
        ("expires_at=1e9", "expires_at", "parameter_invalid_integer"),
        ("expires_at=", "expires_at", "parameter_invalid_integer"),
        ("metadata=", "metadata", "parameter_invalid_empty"),
        ("expand=", "expand", "parameter_invalid_empty"),
        (f"success_url={'x' * 5001}", "success_url", None),
        (f"client_reference_id={'x' * 201}", "client_reference_id", None),
        ("success_url=", "success_url", "parameter_invalid_empty"),
        ("mode=party", "mode", None),
        ("ui_mode=hosted", "ui_mode", None),
        ("mode[x]=payment", "mode", None),
        ("line_items=1", "line_items", None),
        ("line_items[x][quantity]=1", "line_items", None),
        ("metadata=x", "metadata", None),
        ("metadata[a][b]=x", "metadata[a]", None),
        ("allow_promotion_codes=yes", "allow_promotion_codes", None),
        ("custom_text[submit]=x", "custom_text[submit]", None),
        ("custom_text[submit][note]=x", "custom_text[submit][note]", "parameter_unknown"),
        (
            "custom_text[submit][message]=",
            "custom_text[submit][message]",
            "parameter_invalid_empty",
        ),
        (
            "line_items[0][price_data][unit_amount]=5",
            "line_items[0][price_data][currency]",
            "parameter_missing",
        ),
        ("allowed_payment_method_types[0]=gold", "allowed_payment_method_types[0]", None),
    ],
)
def test_a_mistake_is_named_as_stripe_names_it(encoded: str, param: str, code: str | None):
    fields = refused(checkout.SessionCreateParams, encoded)
    assert fields["param"] == param
    assert fields.get("code") == code
    assert fields["type"] == "invalid_request_error"
    assert fields["message"]


def test_a_required_parameter_that_is_missing_is_named():
    assert refused(params.PaymentIntentCreateParams, "amount=5")["param"] == "currency"
    assert refused(params.PriceUpdateParams, "currency=usd")["code"] == "parameter_unknown"


def test_an_empty_string_unsets_only_what_can_be_unset():
    assert check(params.ProductUpdateParams, decode("images=&description="))["images"] == ""
    assert refused(params.ProductUpdateParams, "name=")["code"] == "parameter_invalid_empty"


def test_a_time_filter_is_a_moment_or_an_interval():
    assert check(params.RefundListParams, decode("created=5")) == {"created": 5}
    interval = check(params.RefundListParams, decode("created[gte]=5&created[lt]=9"))
    assert interval == {"created": {"gte": 5, "lt": 9}}
    assert refused(params.RefundListParams, "created[near]=5")["param"] == "created[near]"


def test_every_call_has_a_checker():
    for route in ROUTES:
        assert checker(route.params)({}, "") == {} if not required(route.params) else True


def required(params_type: type) -> bool:
    try:
        check(params_type, {})
    except StripeError as error:
        return error.fields["code"] == "parameter_missing"
    return False


@pytest.mark.parametrize("body", [b"\xff=1", b"a=%ff", b"a[b]=1&a=2", b"a=1&a[b]=2"])
def test_a_body_that_is_no_form_is_a_400(standin: Standin, body: bytes):
    answer = standin.api("POST", "products", body)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_a_very_large_body_is_refused(standin: Standin):
    answer = standin.api("POST", "products", b"name=" + b"x" * 1_100_000)
    assert answer.status_code == 413


def test_a_refused_parameter_has_no_effect(standin: Standin):
    before = len(standin.client.v1.products.list({"limit": 100}).data)
    with pytest.raises(stripe.InvalidRequestError):
        standin.client.v1.products.create({"name": "Poster", "nonsense": "x"})  # type: ignore[typeddict-unknown-key]
    assert len(standin.client.v1.products.list({"limit": 100}).data) == before


def nonsense(name: str) -> list[str]:
    """Shapes that a parameter can be sent in, few of which are right."""
    return [f"{name}={value}" for value in ("1", "true", "card", "", "9" * 18, "\x00")] + [
        f"{name}[a]=card",
        f"{name}[0]=1",
        f"{name}[0][enabled]=true",
        f"{name}[enabled]=true",
    ]


@pytest.mark.parametrize("route", ROUTES, ids=lambda r: f"{r.method} {r.pattern.pattern}")
def test_no_parameter_makes_the_standin_fail(standin: Standin, route: Route):
    """Every parameter in every shape, beside what makes the call right: never a 5xx."""
    session = standin.pay(standin.open_session())
    link = standin.client.v1.payment_links.create({"line_items": [line(500)]})
    product = standin.client.v1.products.create({"name": "Poster"})
    ids = {
        "checkout/sessions": standin.open_session().id,
        "payment_intents": str(session.payment_intent),
        "payment_links": link.id,
        "products": product.id,
    }
    right = {
        "checkout/sessions": standin.session_params(),
        "payment_intents": {"amount": 500, "currency": "usd"},
        "refunds": {"payment_intent": str(session.payment_intent), "amount": 1},
        "products": {"name": "Poster"},
        "prices": {"currency": "usd", "unit_amount": 500, "product": product.id},
        "payment_links": {"line_items": [line(500)]},
    }
    path = route.pattern.pattern.removeprefix("/v1/")
    group = path.split("/(")[0]
    path = path.replace("([^/]+)", ids.get(group, "none"))
    base = [] if path != group else list(_api_encode(right.get(group, {})))
    for name in set(route.params.__annotations__) - OPTIONS:
        for encoded in nonsense(name):
            if encoded.startswith(("metadata[0", "metadata[]")):
                continue  # a key like any other, which the description's validator takes for a list
            given = dict([*base, tuple(encoded.split("=", 1))])
            answer = standin.api(route.method, path, given)
            assert answer.status_code < 500, f"{route.method} {path} {encoded}: {answer.text}"

"""Where posters and payment links lead."""

import pytest

from storefront.domain.payment_links import order_of
from storefront.services import payment_links, posters
from storefront.services.shop import Shop
from tests.fakes.faults import Fault
from tests.fakes.stripe import FakeStripe
from tests.web.browsing import Browser


def test_a_posters_code_leads_to_the_products_page(visitor: Browser) -> None:
    code = posters.code_of("record")
    assert len(code) == posters.CODE_LENGTH
    for typed in (code, code.upper()):
        answer = visitor.get(f"/q/{typed}")
        assert (answer.status_code, answer.location) == (303, "/products/record")


def test_a_code_is_the_same_for_ever() -> None:
    """Posters that hang on walls cannot be changed."""
    assert posters.code_of("poster") == "jj47qzkm"


@pytest.mark.parametrize("code", ["none", "a" * 300, "%00"])
def test_an_unknown_code_says_what_to_do(visitor: Browser, code: str) -> None:
    answer = visitor.get(f"/q/{code}")
    assert answer.status_code == 404
    assert "This code leads to nothing that is on sale" in answer.text
    assert "Back to the shelf" in answer.text


@pytest.fixture
def paid(shop: Shop, stripe: FakeStripe) -> str:
    """A session that was paid through a link, of which no webhook has told."""
    link = payment_links.create(shop, sku="record", units=1, key="k", who="me")
    session = stripe.visit(link.stripe)
    stripe.pay(session)
    return session


def test_who_paid_through_a_link_sees_the_order_at_once(
    visitor: Browser, shop: Shop, paid: str
) -> None:
    answer = visitor.get(f"/paid/{paid}")
    assert answer.status_code == 303
    assert (answer.headers["Cache-Control"], answer.headers["Referrer-Policy"]) == (
        "no-store",
        "same-origin",
    )
    assert "Paid. It is yours" in visitor.get(answer.location).text
    order = shop.store.orders.get(order_of(paid))
    assert order is not None
    assert order.state == "paid"


def test_a_known_order_needs_no_stripe(visitor: Browser, stripe: FakeStripe, paid: str) -> None:
    visitor.get(f"/paid/{paid}")
    stripe.down()
    assert visitor.get(f"/paid/{paid}").status_code == 303


def test_while_stripe_is_silent_nothing_false_is_said(
    visitor: Browser, stripe: FakeStripe, paid: str
) -> None:
    stripe.fault("session", Fault.LOST_REQUEST)
    answer = visitor.get(f"/paid/{paid}")
    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
    assert "Nothing was charged" not in answer.text
    assert "reload this page" in answer.text


@pytest.mark.parametrize("session", ["cs_none", "pi_1", "x", "cs_" + "a" * 300])
def test_any_other_session_is_not_found(visitor: Browser, session: str) -> None:
    answer = visitor.get(f"/paid/{session}")
    assert (answer.status_code, "There is no order at this address" in answer.text) == (404, True)


def test_a_visit_that_came_to_nothing_has_no_order(
    visitor: Browser, shop: Shop, stripe: FakeStripe
) -> None:
    link = payment_links.create(shop, sku="record", units=1, key="k", who="me")
    assert visitor.get(f"/paid/{stripe.visit(link.stripe)}").status_code == 404
    assert shop.store.orders.ids() == []

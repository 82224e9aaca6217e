"""Making, selling and closing a payment link break at each single step, and strand nothing."""

from storefront.domain.payment_links import LinkState, order_of
from storefront.services import payment_links
from tests.services.conftest import Build
from tests.services.sweeping import MakeFuse, breaks, sweep
from tests.services.town import Town


def make(town: Town) -> None:
    payment_links.create(town.shop, sku="poster", units=2, key="k", who="me")


def close(town: Town) -> None:
    for link in payment_links.listing(town.shop):
        payment_links.close(town.shop, link.id, "me")


def paid(town: Town) -> None:
    make(town)
    [link] = payment_links.listing(town.shop)
    for _ in range(2):
        town.stripe.visit(link.stripe)
    town.stripe.pay(next(iter(town.stripe.sessions)))


@breaks
def test_making_a_link_breaks_anywhere_and_makes_one_or_none(
    build: Build, make_fuse: MakeFuse
) -> None:
    def then(town: Town) -> None:
        town.pass_time(120)
        links = payment_links.listing(town.shop)
        assert [link.state for link in links] in ([], [LinkState.OPEN])
        assert len(town.stripe.links) == len(links)
        assert town.level() == ((3, 2, 0) if links else (5, 0, 0))
        close(town)
        assert town.level() == (5, 0, 0)

    sweep(build, make_fuse, make, then=then)


@breaks
def test_a_sale_through_a_link_breaks_anywhere_and_is_one_order(
    build: Build, make_fuse: MakeFuse
) -> None:
    def then(town: Town) -> None:
        town.lose_events()
        town.pass_time(120)
        [order] = town.orders()
        assert order.state == "paid"
        assert order.id == order_of(next(iter(town.stripe.sessions)))
        assert town.level() == (3, 1, 1)
        close(town)
        assert town.level() == (4, 0, 1)

    sweep(build, make_fuse, lambda town: town.deliver(), prepare=paid, then=then)


@breaks
def test_closing_a_link_breaks_anywhere_and_gives_back_what_is_left_once(
    build: Build, make_fuse: MakeFuse
) -> None:
    def prepare(town: Town) -> None:
        paid(town)
        town.lose_events()

    def then(town: Town) -> None:
        town.pass_time(120)
        close(town)
        assert [link.returned for link in payment_links.listing(town.shop)] == [1]
        assert town.level() == (4, 0, 1)
        assert not town.stripe.pay(list(town.stripe.sessions)[1])

    sweep(build, make_fuse, close, prepare=prepare, then=then)

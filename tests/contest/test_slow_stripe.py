"""A slow Stripe holds up nobody but those who wait for it: greenlets, in one web process."""

import statistics
import threading
import time
from collections.abc import Callable

import pytest

from tests.contest.market import open_market
from tests.contest.shopper import Shopper, paying

pytestmark = pytest.mark.alone

CROWD = 50
LATENCY_MS = 500


def seconds(act: Callable[[], object]) -> float:
    """How long it takes."""
    began = time.monotonic()
    act()
    return time.monotonic() - began


def test_fifty_checkouts_at_once_take_about_as_long_as_one_and_pages_stay_quick() -> None:
    """Fifty one after the other would take fifty times as long as one; a tenth of it is asserted."""
    arguments = ("--latency-ms", str(LATENCY_MS))
    with open_market(
        {"poster": CROWD + 5}, hold_seconds=600, worker=False, standin_arguments=arguments
    ) as market:
        shoppers = [Shopper(market.shop.url, f"shopper{n}") for n in range(CROWD)]
        forms = [shopper.form("poster") for shopper in shoppers]
        first = Shopper(market.shop.url)
        form = first.form("poster")
        alone = seconds(lambda: paying(first.send(form)))
        assert alone >= LATENCY_MS / 1000

        reader = Shopper(market.shop.url)
        idle = statistics.median(seconds(lambda: reader.page("/")) for _ in range(15))

        answers: list[str] = []
        threads = [
            threading.Thread(target=lambda s=s, f=f: answers.append(paying(s.send(f))))
            for s, f in zip(shoppers, forms, strict=True)
        ]

        def everybody() -> None:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        pages: list[float] = []
        crowd = threading.Thread(target=lambda: pages.append(-seconds(everybody)))
        crowd.start()
        while crowd.is_alive():
            pages.append(seconds(lambda: reader.page("/")))
        together = -min(pages)
        busy = statistics.median(page for page in pages if page > 0)
        print(
            f"one {alone:.2f} s, fifty {together:.2f} s ({together / alone:.1f} times); "
            f"a page {idle * 1000:.0f} ms alone, {busy * 1000:.0f} ms meanwhile"
        )
        assert len(set(answers)) == CROWD
        assert market.stock("poster").held == CROWD + 1
        assert together < CROWD / 10 * alone
        assert busy < alone, "a page waits for nobody's payment"

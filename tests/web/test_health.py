"""What machines ask."""

from collections.abc import Callable

import pytest
from flask import Flask

from storefront.app import assemble
from storefront.services.shop import Shop
from tests.web.browsing import Browser

PROBE = "http://10.0.0.7:8000"


@pytest.fixture
def probe(app: Flask) -> Browser:
    """A load balancer, which knows the process by its address only."""
    return Browser(app, address="10.0.0.1", base=PROBE)


def test_the_process_is_alive_whatever_its_redis_does(
    probe: Browser, cut: Callable[[], None]
) -> None:
    cut()
    response = probe.get("/healthz")
    assert (response.status_code, response.json) == (200, {"ok": True})


def test_the_shop_is_ready_while_redis_answers(probe: Browser) -> None:
    response = probe.get("/readyz")
    assert (response.status_code, response.json) == (200, {"ready": True, "problems": []})


def test_without_redis_the_shop_is_not_ready(probe: Browser, cut: Callable[[], None]) -> None:
    cut()
    response = probe.get("/readyz")
    assert response.status_code == 503
    assert response.mimetype == "application/json"
    assert "storage does not answer" in response.json["detail"]


def test_in_production_a_redis_that_forgets_is_not_ready_and_the_reason_is_told(
    make_shop: Callable[..., Shop],
) -> None:
    shop = make_shop(
        SHOP_ENV="production", PUBLIC_URL="https://shop.example", REDIS_URL="redis://127.0.0.1:9"
    )
    response = Browser(assemble(shop), base=PROBE).get("/readyz")
    assert response.status_code == 503
    assert "appendonly" in response.json["problems"][0]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_an_answer_about_health_is_never_kept(app: Flask, path: str) -> None:
    assert Browser(app, "127.0.0.1").get(path).headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_this_machine_gets_the_metrics(app: Flask, address: str) -> None:
    response = Browser(app, address).get("/metrics")
    assert response.status_code == 200
    assert response.content_type.startswith("text/plain; version=0.0.4")
    assert 'shop_stock{kind="available",sku="record"} 3' in response.text or (
        'shop_stock{sku="record",kind="available"} 3' in response.text
    )


@pytest.mark.parametrize("address", ["198.51.100.7", "10.0.0.1", "::2", "", "nonsense"])
def test_others_do_not(app: Flask, address: str) -> None:
    assert Browser(app, address).get("/metrics").status_code == 403


def test_a_forwarded_loopback_counts_for_nothing_without_a_trusted_proxy(app: Flask) -> None:
    headers = {"X-Forwarded-For": "127.0.0.1"}
    assert Browser(app, "198.51.100.7").get("/metrics", headers=headers).status_code == 403


def test_behind_a_trusted_proxy_the_forwarded_client_counts(make_shop: Callable[..., Shop]) -> None:
    app = assemble(make_shop(TRUSTED_PROXIES="1"))
    proxy = Browser(app, "127.0.0.1")
    assert proxy.get("/metrics", headers={"X-Forwarded-For": "203.0.113.5"}).status_code == 403
    spoofed = {"X-Forwarded-For": "127.0.0.1, 203.0.113.5"}
    assert proxy.get("/metrics", headers=spoofed).status_code == 403
    assert proxy.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 200


def test_the_token_opens_the_metrics_to_others(make_shop: Callable[..., Shop]) -> None:
    browser = Browser(assemble(make_shop(METRICS_TOKEN="sesame")))

    def ask(authorization: str) -> int:
        return browser.get("/metrics", headers={"Authorization": authorization}).status_code

    assert ask("Bearer sesame") == 200
    assert [
        ask(a) for a in ("Bearer", "Bearer ", "Bearer sesam", "sesame", "Basic sesame", "é")
    ] == [403] * 6


def test_without_a_token_set_no_bearer_opens_the_metrics(app: Flask) -> None:
    headers = {"Authorization": "Bearer "}
    assert Browser(app).get("/metrics", headers=headers).status_code == 403

"""The application as a whole."""

from collections.abc import Callable

import pytest

from storefront.app import create_app
from storefront.settings import Settings
from tests.harness import RedisServer, free_port
from tests.web.browsing import Browser


def test_it_starts_without_its_redis_and_says_that_it_is_not_ready(
    make_settings: Callable[..., Settings],
) -> None:
    gone = f"redis://127.0.0.1:{free_port()}/0"
    visitor = Browser(create_app(make_settings(REDIS_URL=gone, RATE_LIMIT="on")))
    assert visitor.get("/healthz").status_code == 200
    assert visitor.get("/readyz").status_code == 503
    assert visitor.get("/").status_code == 503
    assert visitor.post("/bag", {}).status_code == 400  # counted in memory


def test_on_a_real_redis_limits_are_shared_between_processes(
    make_settings: Callable[..., Settings], redis_server: RedisServer
) -> None:
    with redis_server.client() as client:
        client.flushall()
        settings = make_settings(REDIS_URL=redis_server.url, RATE_LIMIT="on")
        one, other = Browser(create_app(settings)), Browser(create_app(settings))
        statuses = {(one, other)[n % 2].post("/bag", {}).status_code for n in range(60)}
        assert statuses == {400}
        response = one.post("/bag", {})
        assert response.status_code == 429
        assert 0 < int(response.headers["Retry-After"]) <= 60
        assert all(0 < client.ttl(key) <= 60 for key in client.scan_iter("{popup}:limit*"))


def test_the_operators_commands_belong_to_it(make_settings: Callable[..., Settings]) -> None:
    app = create_app(make_settings())
    result = app.test_cli_runner().invoke(args=["shop", "--help"])
    assert result.exit_code == 0
    assert "restock" in result.output


def test_errors_are_logged_by_the_views_name_and_never_by_an_orders_address(
    make_settings: Callable[..., Settings], caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(make_settings())

    def fail(token: str) -> str:
        raise RuntimeError("the cause")

    app.view_functions["orders.show"] = fail
    Browser(app).get("/orders/a-secret-token")
    text = caplog.text
    assert "GET orders.show failed" in text
    assert "a-secret-token" not in text

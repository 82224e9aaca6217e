"""What keeps other sites, forged forms and foreign names out."""

import re
from collections.abc import Callable

import pytest
from flask import Flask, request

from storefront.app import assemble
from storefront.services.shop import Shop
from storefront.web import addresses, security
from tests.web.browsing import Browser

PAGES = [
    "/",
    "/products/poster",
    "/bag",
    "/admin/login",
    "/nothing",
    "/stock.json",
    "/static/shop.css",
]


@pytest.fixture
def secure(make_shop: Callable[..., Shop]) -> Browser:
    """A visitor of a shop that is served by https, behind one proxy."""
    app = assemble(make_shop(PUBLIC_URL="https://shop.example", TRUSTED_PROXIES="1"))
    return Browser(app)


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_carries_the_headers(visitor: Browser, path: str) -> None:
    headers = visitor.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert "unsafe" not in headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("base", "pages"),
    [
        ("", {"https://checkout.stripe.com"}),
        ("https://proxy.example/stripe", {"https://checkout.stripe.com", "https://proxy.example"}),
        (
            "http://localhost:8001",
            {
                "https://checkout.stripe.com",
                "http://localhost:8001",
                "http://127.0.0.1:8001",
            },
        ),
    ],
)
def test_a_form_may_lead_to_the_payment_page_and_nowhere_else(base: str, pages: set[str]) -> None:
    policy = security.content_policy(security.payment_origins(base))
    directive = next(part for part in policy.split("; ") if part.startswith("form-action"))
    assert set(directive.split()[1:]) == {"'self'"} | pages


@pytest.mark.parametrize("path", ["/", "/products/poster", "/bag", "/admin/login", "/nothing"])
def test_no_page_has_anything_inline_or_from_elsewhere(visitor: Browser, path: str) -> None:
    text = visitor.get(path).text
    # What these say is read by other programs: nothing is loaded or run.
    text = re.sub(r'<link rel="canonical".*?>', "", text)
    text = re.sub(r'<script type="application/ld\+json">[^<]*</script>', "", text)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text)
    assert re.findall(r"<script(.*?)>(.*?)</script>", text) == [
        (match[0], "") for match in re.findall(r"<script(.*?)>(.*?)</script>", text)
    ]
    assert not re.search(r'(?:src|href|action)="(?:https?:)?//', text)


def test_hsts_and_secure_cookies_are_for_https_alone(visitor: Browser, secure: Browser) -> None:
    assert "Strict-Transport-Security" not in visitor.get("/").headers
    plain = visitor.get("/products/poster").headers["Set-Cookie"]
    assert plain.startswith("shop_session=")
    assert "Secure" not in plain
    response = secure.get("/products/poster")
    assert response.headers["Strict-Transport-Security"] == "max-age=31536000"
    cookie = response.headers["Set-Cookie"]
    assert cookie.startswith("__Host-shop_session=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    assert {"HttpOnly", "SameSite=Lax"} <= set(plain.split("; "))


POSTS = ["/checkout", "/bag", "/orders/x/cancel", "/admin/login", "/admin/logout", "/admin/restock"]


@pytest.mark.parametrize("path", POSTS)
def test_a_form_without_its_token_is_400_and_says_what_to_do(visitor: Browser, path: str) -> None:
    response = visitor.post(path, {"sku": "record", "quantity": "1"})
    assert response.status_code == 400
    assert "This page was open too long or came from elsewhere" in response.text
    assert "Nothing was bought" in response.text
    assert "reload" in response.text


def test_every_post_but_the_webhook_asks_for_the_token(app: Flask) -> None:
    browser = Browser(app)
    posts = {
        rule.rule: rule for rule in app.url_map.iter_rules() if "POST" in (rule.methods or set())
    }
    open_ = set()
    for path in posts:
        filled = re.sub(r"<[^>]+>", "x", path)
        if (
            browser.post(filled, {}).status_code != 400
            or "open too long" not in browser.post(filled, {}).text
        ):
            open_.add(path)
    assert open_ == {"/webhooks/stripe"}


def test_another_visitors_token_does_not_count(app: Flask, visitor: Browser) -> None:
    theirs = Browser(app).token()
    visitor.token()
    assert (
        visitor.post("/bag", {"csrf_token": theirs, "sku": "record", "quantity": "1"}).status_code
        == 400
    )


def test_on_https_a_form_must_come_from_the_shop_itself(secure: Browser) -> None:
    values = {"csrf_token": secure.token(), "sku": "record", "quantity": "1"}
    for referer in (
        "https://evil.example/",
        "http://shop.example/",
        "https://shop.example.evil.example/",
    ):
        assert secure.post("/bag", values, headers={"Referer": referer}).status_code == 400
    assert secure.post("/bag", values).status_code == 303


def test_a_form_from_before_the_key_was_rolled_still_counts(make_shop: Callable[..., Shop]) -> None:
    old = Browser(assemble(make_shop(SECRET_KEY="the-old-key-of-all")))
    values = {"csrf_token": old.token(), "sku": "record", "quantity": "1"}
    cookie = old.client.get_cookie("shop_session", domain="shop.example")
    assert cookie is not None
    new = assemble(
        make_shop(SECRET_KEY="the-new-key-now", SECRET_KEY_FALLBACKS="the-old-key-of-all")
    )
    rolled = Browser(new)
    rolled.client.set_cookie("shop_session", cookie.value, domain="shop.example")
    assert rolled.post("/bag", values).status_code == 303
    foreign = Browser(assemble(make_shop(SECRET_KEY="the-new-key-now")))
    foreign.client.set_cookie("shop_session", cookie.value, domain="shop.example")
    assert foreign.post("/bag", values).status_code == 400


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("shop.example", 200),
        ("SHOP.example:8443", 200),
        ("localhost:1234", 200),
        ("127.0.0.1", 200),
        ("[::1]:8000", 200),
        ("evil.example", 400),
        ("shop.example.evil.example", 400),
        ("evil.example@shop.example", 400),
        ("shop.example/evil", 400),
        ("[::1", 400),
        ("10.0.0.7", 400),
    ],
)
def test_the_shop_answers_to_its_own_name_and_to_this_machine(
    app: Flask, host: str, status: int
) -> None:
    response = app.test_client().get("/", headers={"Host": host})
    assert response.status_code == status
    if status == 400:
        assert 'href="http://shop.example"' in response.text


@pytest.mark.parametrize("host", ["x..example", "a" * 64, "9" * 9000, f"{'a' * 300}.example", "."])
@pytest.mark.parametrize("path", ["/", "/nothing", "/products/poster", "/admin/"])
def test_a_host_that_can_be_no_name_is_refused_like_any_other(
    app: Flask, host: str, path: str
) -> None:
    response = app.test_client().get(path, headers={"Host": host})
    assert response.status_code == 400
    assert "html" in response.mimetype
    assert app.test_client().get("/healthz", headers={"Host": host}).status_code == 200


def test_a_redirect_never_names_the_host_that_was_asked(app: Flask) -> None:
    response = app.test_client().get("/admin/", headers={"Host": "localhost:1"})
    assert response.headers["Location"] == "/admin/login"


def test_forwarded_headers_count_behind_exactly_so_many_proxies(
    make_shop: Callable[..., Shop], app: Flask
) -> None:
    forwarded = {
        "X-Forwarded-For": "192.0.2.1, 192.0.2.2",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.example",
    }
    assert Browser(app).get("/", headers=forwarded).status_code == 200
    behind = assemble(make_shop(TRUSTED_PROXIES="1"))
    behind.add_url_rule("/seen", "seen", lambda: f"{request.scheme} {request.remote_addr}")
    assert Browser(behind).get("/seen", headers=forwarded).status_code == 400
    del forwarded["X-Forwarded-Host"]
    assert Browser(behind).get("/seen", headers=forwarded).text == "https 192.0.2.2"


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        ("unix:", "unknown"),
    ],
)
def test_a_client_is_its_address_or_its_ipv6_network(app: Flask, remote: str, address: str) -> None:
    with app.test_request_context("/", environ_overrides={"REMOTE_ADDR": remote}):
        assert addresses.client() == address
        assert re.fullmatch(r"[0-9a-f]{32}", addresses.mark("a-key"))


def test_the_mark_of_an_address_depends_on_the_secret_key(app: Flask) -> None:
    with app.test_request_context("/"):
        assert addresses.mark("one-key") != addresses.mark("another-key")


def test_static_files_are_kept_for_a_year_under_their_contents_name(visitor: Browser) -> None:
    link = visitor.page("/").one("link", rel="stylesheet").attributes["href"]
    assert re.fullmatch(r"/static/shop\.css\?v=[0-9a-f]{12}", link)
    assert visitor.get(link).headers["Cache-Control"] == "public, max-age=31536000, immutable"
    for other in ("/static/shop.css", "/static/shop.css?v=000000000000"):
        assert visitor.get(other).headers["Cache-Control"] == "public, max-age=3600"

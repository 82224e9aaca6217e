"""The operator's account: one-time codes, recovery codes, tries, and signing out everywhere."""

import logging
import re
import time
from collections.abc import Callable

import fakeredis
import pyotp
import pytest
import time_machine
from flask import Flask

from storefront.app import assemble
from storefront.services import account
from storefront.services.shop import Shop
from tests.web.browsing import Browser, Element, path_of, read
from tests.web.conftest import PASSWORD

ACCOUNT = "/admin/account"


class Phone:
    """The operator's, which makes codes."""

    def __init__(self, secret: str) -> None:
        self.made = pyotp.TOTP(secret)

    def code(self, steps: int = 0) -> str:
        """The code of now, or of so many half minutes later."""
        return self.made.at(int(time.time()) + 30 * steps)


def begin(operator: Browser) -> tuple[Element, Phone]:
    """The page to set a phone up, and the phone that was."""
    response = operator.submit(operator.page(ACCOUNT), f"{ACCOUNT}/codes")
    assert response.status_code == 200
    page = read(response.text)
    return page, Phone(page.one("code", class_="secret").words.replace(" ", ""))


def set_up(operator: Browser) -> tuple[Phone, list[str]]:
    """One-time codes are asked for from now on; the phone, and the recovery codes."""
    page, phone = begin(operator)
    response = operator.submit(page, "confirm", code=phone.code(-1))
    assert response.status_code == 200, response.text
    return phone, [item.words for item in read(response.text).one("ol").all("li")]


def enter(browser: Browser, password: str = PASSWORD, code: str = "") -> int:
    return browser.send("/admin/login", password=password, code=code).status_code


@pytest.fixture
def elsewhere(app: Flask) -> Browser:
    return Browser(app, "203.0.113.9")


def test_a_phone_counts_once_it_has_shown_a_code(
    operator: Browser, elsewhere: Browser, shop: Shop
) -> None:
    page, phone = begin(operator)
    assert begin(operator)[1].made.secret == phone.made.secret
    assert not account.asks_for_codes(shop)
    wrong = operator.submit(page, "confirm", code="000000")
    assert wrong.status_code == 422
    assert phone.made.secret in read(wrong.text).one("code", class_="secret").words.replace(" ", "")
    assert not account.asks_for_codes(shop)
    assert enter(elsewhere) == 303
    right = operator.submit(page, "confirm", code=phone.code())
    assert len(read(right.text).one("ol").all("li")) == 10
    assert account.asks_for_codes(shop)


def test_the_secret_is_shown_as_a_code_to_scan_only_while_it_is_being_set_up(
    operator: Browser,
) -> None:
    assert operator.get(f"{ACCOUNT}/codes.svg").status_code == 404
    page, phone = begin(operator)
    picture = operator.get(page.one("img", class_="qr").attributes["src"])
    assert picture.mimetype == "image/svg+xml"
    assert picture.headers["Cache-Control"] == "no-store"
    assert picture.text.count("<path") == 2
    operator.submit(page, "confirm", code=phone.code())
    assert operator.get(f"{ACCOUNT}/codes.svg").status_code == 404
    assert phone.made.secret not in operator.get(ACCOUNT).text


def test_what_is_scanned_names_the_shop(operator: Browser, shop: Shop) -> None:
    uris: list[str] = []

    def note(uri: str) -> object:
        uris.append(uri)
        return made(uri)

    made = account.segno.make_qr
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(account.segno, "make_qr", note)
        _, phone = begin(operator)
        operator.get(f"{ACCOUNT}/codes.svg")
    secret = phone.made.secret
    assert uris == [f"otpauth://totp/Pop-up%20shop:admin?secret={secret}&issuer=Pop-up%20shop"]


def test_setting_up_ends_every_other_session(app: Flask, operator: Browser) -> None:
    other = Browser(app)
    assert enter(other) == 303
    set_up(operator)
    assert operator.get(ACCOUNT).status_code == 200
    assert path_of(other.get(ACCOUNT)) == "/admin/login"


def test_password_and_code_are_both_needed_and_a_code_opens_once(
    app: Flask, operator: Browser, elsewhere: Browser
) -> None:
    phone, _ = set_up(operator)
    assert enter(elsewhere) == 403
    code = phone.code()
    assert enter(elsewhere, "wrong", code) == 403
    assert enter(elsewhere, code=code) == 303
    assert enter(Browser(app, "203.0.113.10"), code=code) == 403
    assert enter(Browser(app, "203.0.113.11"), code=phone.code(1)) == 303


def test_the_code_that_confirmed_the_phone_opens_nothing(
    operator: Browser, elsewhere: Browser
) -> None:
    page, phone = begin(operator)
    code = phone.code()
    operator.submit(page, "confirm", code=code)
    assert enter(elsewhere, code=code) == 403


@pytest.mark.parametrize("steps", [-3, 3, 100])
def test_a_code_of_another_time_opens_nothing(
    operator: Browser, elsewhere: Browser, steps: int
) -> None:
    phone, _ = set_up(operator)
    assert enter(elsewhere, code=phone.code(steps)) == 403


@pytest.mark.parametrize("code", ["", " ", "0", "١٢٣٤٥٦", "é" * 6, "x" * 5000, "\x00", "-" * 6])
def test_what_is_no_code_opens_nothing(operator: Browser, elsewhere: Browser, code: str) -> None:
    set_up(operator)
    assert enter(elsewhere, code=code) == 403


def test_a_code_may_be_typed_with_a_space(operator: Browser, elsewhere: Browser) -> None:
    phone, _ = set_up(operator)
    code = phone.code()
    assert enter(elsewhere, code=f" {code[:3]} {code[3:]} ") == 303


def test_it_is_not_said_which_of_the_two_was_wrong(
    app: Flask, operator: Browser, elsewhere: Browser
) -> None:
    phone, _ = set_up(operator)

    def said(password: str, code: str) -> str:
        response = elsewhere.send("/admin/login", password=password, code=code)
        return re.sub('name="csrf_token" value="[^"]+"', "", response.text)

    assert said("wrong", phone.code()) == said(PASSWORD, "000000") == said("wrong", "000000")


def test_each_recovery_code_opens_once_however_it_is_typed(
    app: Flask, operator: Browser, elsewhere: Browser, shop: Shop
) -> None:
    _, codes = set_up(operator)
    assert len(set(codes)) == 10
    assert enter(elsewhere, "wrong", codes[0]) == 403
    assert enter(elsewhere, code=codes[0].upper().replace("-", " ")) == 303
    assert "Recovery codes left: 9 of 10" in elsewhere.page(ACCOUNT).words
    stranger = Browser(app, "203.0.113.10")
    assert enter(stranger, code=codes[0]) == 403
    assert enter(stranger, code=codes[1]) == 303
    assert account.recovery_left(shop) == 8


def test_neither_recovery_codes_nor_the_password_are_kept_readable(
    operator: Browser, redis: fakeredis.FakeRedis
) -> None:
    _, codes = set_up(operator)
    kept = str([redis.hgetall("{popup}:account"), redis.smembers("{popup}:account:recovery")])
    for secret in (*codes, *(code.replace("-", "") for code in codes), PASSWORD):
        assert secret not in kept


def test_new_recovery_codes_end_the_old(operator: Browser, elsewhere: Browser) -> None:
    _, codes = set_up(operator)
    response = operator.submit(operator.page(ACCOUNT), f"{ACCOUNT}/recovery")
    new = [item.words for item in read(response.text).one("ol").all("li")]
    assert enter(elsewhere, code=codes[0]) == 403
    assert enter(elsewhere, code=new[0]) == 303


def test_recovery_codes_are_not_made_while_no_codes_are_asked_for(
    operator: Browser, shop: Shop
) -> None:
    assert path_of(operator.send_signed_in(f"{ACCOUNT}/recovery")) == ACCOUNT
    assert account.recovery_left(shop) == 0


def test_switching_off_needs_password_and_code_once_more(
    operator: Browser, elsewhere: Browser, shop: Shop
) -> None:
    phone, codes = set_up(operator)
    page = operator.page(ACCOUNT)
    for password, code in (("wrong", phone.code()), (PASSWORD, "000000")):
        response = operator.submit(page, "off", password=password, code=code)
        assert response.status_code == 403
        assert "Nothing was changed" in response.text
    assert account.asks_for_codes(shop)
    assert path_of(operator.submit(page, "off", password=PASSWORD, code=codes[0])) == ACCOUNT
    assert "Only the password is asked for" in operator.page(ACCOUNT).words
    assert enter(elsewhere) == 303


def test_signing_out_everywhere_ends_every_session_and_forgets_every_browser(
    app: Flask, operator: Browser
) -> None:
    other = Browser(app)
    enter(other)
    response = operator.submit(operator.page(ACCOUNT), f"{ACCOUNT}/sign-out")
    assert path_of(response) == "/admin/login"
    assert path_of(other.get("/admin/")) == "/admin/login"
    make_strangers_wait(app)
    assert enter(other) == 429


def test_after_redis_was_lost_no_session_of_before_counts(
    operator: Browser, redis: fakeredis.FakeRedis
) -> None:
    redis.flushall()
    assert path_of(operator.get(ACCOUNT)) == "/admin/login"
    assert enter(operator) == 303


def test_without_redis_nobody_gets_in(visitor: Browser, cut: Callable[[], None]) -> None:
    token = visitor.token()
    cut()
    response = visitor.post("/admin/login", {"csrf_token": token, "password": PASSWORD})
    assert response.status_code == 503


def make_strangers_wait(app: Flask) -> int:
    """Somebody guesses from many addresses; the seconds that the next one is told to wait."""
    for number in range(1, 30):
        stranger = Browser(app, f"192.0.2.{number}")
        response = stranger.send("/admin/login", password="guess")
        if response.status_code == 429:
            assert "Too many tries" in read(response.text).one("div", class_="alert").words
            return int(response.headers["Retry-After"])
        assert response.status_code == 403
    pytest.fail("guesses from many addresses are never told to wait")


def test_guesses_from_many_addresses_make_the_next_one_wait_a_minute_at_most(
    app: Flask, elsewhere: Browser, shop: Shop
) -> None:
    now = time.time()
    with time_machine.travel(now, tick=False) as clock:
        waits = []
        for _ in range(9):
            waits.append(make_strangers_wait(app))
            clock.shift(waits[-1])
        assert waits == [2, 4, 8, 16, 32, 60, 60, 60, 60]
        make_strangers_wait(app)
        assert enter(elsewhere) == 429
        clock.shift(60)
        assert enter(elsewhere) == 303
    assert shop.store.metrics()["limited:logins"] == 11


def test_a_browser_that_got_in_before_does_not_wait_with_strangers(
    app: Flask, operator: Browser
) -> None:
    operator.submit(operator.page("/admin/stock"), "/admin/logout")
    make_strangers_wait(app)
    operator.address = "203.0.113.77"
    assert enter(operator) == 303


def test_a_known_browser_may_guess_no_more_than_an_address(app: Flask, operator: Browser) -> None:
    operator.submit(operator.page("/admin/stock"), "/admin/logout")
    answers = []
    for number in range(7):
        operator.address = f"203.0.113.{number}"
        answers.append(enter(operator, "wrong"))
    assert answers == [403] * 5 + [429] * 2


def test_a_browser_s_cookie_that_we_did_not_sign_makes_nobody_known(
    app: Flask, operator: Browser, elsewhere: Browser
) -> None:
    cookie = operator.client.get_cookie("shop_operator", domain="shop.example")
    assert cookie is not None
    make_strangers_wait(app)
    for value in (cookie.value[:-2] + "xx", "x", "", cookie.value.split(".")[0] + ".a.b"):
        elsewhere.client.set_cookie("shop_operator", value, domain="shop.example")
        assert enter(elsewhere) == 429


def test_over_https_the_cookies_belong_to_this_host_alone(
    make_shop: Callable[..., Shop],
) -> None:
    browser = Browser(assemble(make_shop(PUBLIC_URL="https://shop.example", TRUSTED_PROXIES="1")))
    response = browser.send("/admin/login", password=PASSWORD)
    cookies = {text.split("=")[0]: text for text in response.headers.getlist("Set-Cookie")}
    assert set(cookies) == {"__Host-shop_session", "__Host-shop_operator"}
    for text in cookies.values():
        assert {"Secure", "HttpOnly", "Path=/"} <= set(text.split("; "))
        assert "Domain" not in text
    assert "SameSite=Strict" in cookies["__Host-shop_operator"]


def test_nothing_secret_stands_in_the_log_or_in_cookies(
    operator: Browser, elsewhere: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    phone, codes = set_up(operator)
    code = phone.code()
    enter(elsewhere, "wrong", code)
    enter(elsewhere, code=code)
    with operator.client.session_transaction(base_url=operator.base) as session:
        cookie = str(dict(session))
    for secret in (phone.made.secret, PASSWORD, code, *codes):
        assert secret not in caplog.text
        assert secret not in cookie


def test_for_who_lost_everything_the_way_in_is_opened_on_the_machine(
    operator: Browser, elsewhere: Browser, app: Flask, shop: Shop
) -> None:
    set_up(operator)
    make_strangers_wait(app)
    account.let_in_again(shop)
    assert path_of(operator.get("/admin/")) == "/admin/login"
    assert enter(elsewhere) == 303

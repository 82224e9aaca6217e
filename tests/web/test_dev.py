"""Who works on the shop can read every mail; in production nobody can."""

from collections.abc import Callable
from dataclasses import replace

from storefront.app import assemble
from storefront.services import mail_samples
from storefront.services.shop import Shop
from tests.web.browsing import Browser


def test_every_mail_can_be_read_in_both_its_forms(shop: Shop, visitor: Browser) -> None:
    shown = visitor.page("/dev/mails")
    for name, notice in mail_samples.samples(shop).items():
        for form, kind in (("html", "text/html"), ("txt", "text/plain")):
            assert shown.one("a", href=f"/dev/mails/{name}.{form}")
            answer = visitor.get(f"/dev/mails/{name}.{form}")
            assert (answer.status_code, answer.mimetype) == (200, kind)
            assert notice.title in answer.text


def test_a_mail_s_own_style_and_pictures_are_allowed_and_no_script(visitor: Browser) -> None:
    answer = visitor.get("/dev/mails/confirmed.html")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:;")
    assert policy.endswith("; sandbox")
    assert "script-src" not in policy
    assert 'src="data:image/png;base64,' in answer.text
    assert "cid:" not in answer.text


def test_another_name_is_no_mail(visitor: Browser) -> None:
    assert visitor.get("/dev/mails/birthday.html").status_code == 404


def test_in_production_it_is_not_there(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop()
    hosted = replace(shop, settings=replace(shop.settings, env="production"))
    visitor = Browser(assemble(hosted))
    for path in ("/dev/mails", "/dev/mails/confirmed.html", "/dev/mails/confirmed.txt"):
        assert visitor.get(path).status_code == 404

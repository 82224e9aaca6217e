"""Products' pictures."""

import pytest

from storefront.services.shop import Shop
from tests.web.browsing import Browser

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.fixture(autouse=True)
def picture(shop: Shop) -> None:
    shop.settings.pictures.mkdir(parents=True)
    (shop.settings.pictures / "poster.svg").write_bytes(SVG)
    (shop.settings.pictures.parent / "secret_key").write_text("s3cret")


def test_a_picture_is_shown_as_what_it_is_and_runs_nothing(visitor: Browser) -> None:
    response = visitor.get("/pictures/poster.svg")
    assert (response.status_code, response.data) == (200, SVG)
    assert response.mimetype == "image/svg+xml"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    policy = response.headers["Content-Security-Policy"]
    assert "sandbox" in policy
    assert "default-src 'none'" in policy
    assert "script" not in policy


def test_browsers_keep_a_picture_and_ask_whether_it_changed(visitor: Browser) -> None:
    first = visitor.get("/pictures/poster.svg")
    assert "max-age=3600" in first.headers["Cache-Control"]
    again = visitor.get("/pictures/poster.svg", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(
    "name",
    ["none.svg", "../secret_key", "%2e%2e/secret_key", "..%2fsecret_key", "%2fetc%2fpasswd", ""],
)
def test_nothing_but_pictures_is_shown(visitor: Browser, name: str) -> None:
    response = visitor.get(f"/pictures/{name}")
    assert response.status_code == 404
    assert "s3cret" not in response.text


def test_the_shelf_shows_the_picture_with_the_products_name(visitor: Browser) -> None:
    image = visitor.page("/").all("img", class_="picture")[0].attributes
    assert (image["src"], image["alt"]) == ("/pictures/poster.svg", "Opening night <poster>")

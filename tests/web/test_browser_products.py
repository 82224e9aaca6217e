"""In a real browser, with and without scripts: a product is made, pictured, mended and sold."""

import io
from dataclasses import replace
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image, ImageDraw
from playwright.sync_api import Page, expect

from storefront.services import editing
from storefront.services.shop import Shop
from tests.web.conftest import PASSWORD
from tests.web.test_browser import (
    browser_context_args,
    complaints,
    no_scripts,
    served,
    stripe,
)

__all__ = ["browser_context_args", "complaints", "no_scripts", "served", "stripe"]

OPTIONS = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def photograph() -> bytes:
    image = Image.new("RGB", (2400, 1600), "#1f7a78")
    ImageDraw.Draw(image).ellipse((700, 300, 1700, 1300), fill="#f3b33d")
    out = io.BytesIO()
    image.save(out, "JPEG")
    return out.getvalue()


def sign_in(page: Page) -> None:
    page.goto("/admin/login")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def make_a_mug(page: Page) -> None:
    """By the form alone, from the list to the shelf."""
    page.get_by_role("link", name="Products", exact=True).click()
    page.get_by_role("link", name="New product").click()
    page.get_by_label("Name").fill("Mug")
    page.get_by_label("SKU").first.fill("mug")
    page.get_by_label("First stock").first.fill("7")
    page.get_by_label("Price in USD").first.fill("12.00")
    page.get_by_role("button", name="Make the product").click()
    page.get_by_label("Its picture").set_input_files(
        {"name": "photo", "mimeType": "image/jpeg", "buffer": photograph()}
    )
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("status").first).to_have_text("The picture is kept.")
    page.get_by_role("button", name="Put on the shelf").click()


def test_without_scripts_a_product_is_made_pictured_and_put_on_the_shelf(
    served: Shop,
    no_scripts: Page,
) -> None:
    page = no_scripts
    sign_in(page)
    make_a_mug(page)
    page.get_by_role("link", name="look at its page").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Mug")
    expect(page.get_by_alt_text("Mug")).not_to_have_js_property("naturalWidth", 0)


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark")])
def test_the_pages_of_products_fit_meet_wcag_and_break_no_policy(
    served: Shop,
    page: Page,
    complaints: list[str],
    width: int,
    scheme: Any,
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    axe = Axe()
    found: dict[str, str] = {}

    def look(name: str) -> None:
        result = axe.run(page, options=OPTIONS)
        if result.violations_count:
            found[name] = result.generate_report()
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found[f"{name} is too wide"] = page.url

    sign_in(page)
    make_a_mug(page)
    look("a product")
    page.goto("/admin/products")
    look("the list")
    page.goto("/admin/new-product")
    look("a new product")
    page.get_by_label("SKU").first.fill("a b")
    page.get_by_role("button", name="Make the product").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was saved yet.")
    look("mistakes")
    page.goto("/admin/products/zine")
    product = editing.find(served, "zine")
    typed = editing.typed_of(served, product)
    page.get_by_label("Mug").check()
    page.get_by_label("Name").fill("My zine")
    editing.save(served, "zine", product.revision, replace(typed, name="Their zine"), "another")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".theirs").first).to_have_text("There now: Their zine")
    look("somebody else was quicker")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("My zine")
    page.get_by_label("Another picture").or_(page.get_by_label("Its picture")).set_input_files(
        {"name": "a.svg", "mimeType": "image/svg+xml", "buffer": b"<svg><script/></svg>"}
    )
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("#picture-error")).to_contain_text("An SVG can carry a script")
    look("a refused picture")
    page.goto("/products/zine")
    expect(page.get_by_role("heading", name="In stock instead")).to_be_visible()
    look("what is in stock instead")
    page.goto("/products/mug")
    look("a product with an uploaded picture")
    assert found == {}, "\n".join(f"{k}: {v}" for k, v in found.items())
    assert complaints == []


def test_a_picture_takes_its_room_before_it_comes_and_comes_no_larger_than_needed(
    served: Shop,
    page: Page,
) -> None:
    sign_in(page)
    make_a_mug(page)
    page.set_viewport_size({"width": 390, "height": 900})
    page.route("**/pictures/**", lambda route: route.abort())
    page.goto("/products/mug")
    box = page.get_by_alt_text("Mug").bounding_box()
    assert box is not None
    assert round(box["width"] * 1067 / 1600) == round(box["height"])
    page.unroute("**/pictures/**")
    page.goto("/products/mug")
    picture = page.get_by_alt_text("Mug")
    expect(picture).to_have_js_property("complete", True)
    assert str(picture.evaluate("image => image.currentSrc")).endswith("-400.webp")
    after = picture.bounding_box()
    assert after is not None
    assert after == pytest.approx(box, abs=1)

"""Making and changing products in the admin: nothing typed is lost, and nobody overwrites unseen."""

import io
from collections.abc import Callable

import pytest
from flask import Flask
from PIL import Image
from werkzeug.test import TestResponse

from storefront.app import assemble
from storefront.services import editing, restocking
from storefront.services.shop import Shop
from storefront.web.admin.pictures import MOST_SENT
from tests.web.browsing import Browser, Element, path_of, read
from tests.web.conftest import PASSWORD

POSTER = "/admin/products/poster"


def filled(form: Element) -> dict[str, str | list[str]]:
    """What a browser would send of a form as it is shown, its texts of several lines included."""
    values: dict[str, str | list[str]] = {}
    for tag in form.all("input"):
        a = tag.attributes
        if a.get("type") == "checkbox" and "checked" in a:
            several = values.setdefault(a["name"], [])
            assert isinstance(several, list)
            several.append(a["value"])
        elif a.get("type") not in {"checkbox", "file"}:
            values[a["name"]] = a.get("value", "")
    for tag in form.all("textarea"):
        text = tag.children[0] if tag.children else ""
        assert isinstance(text, str)
        values[tag.attributes["name"]] = text.removeprefix("\n")
    return values


def send(
    operator: Browser, path: str = POSTER, page: Element | None = None, **changes: object
) -> TestResponse:
    """The product's form as the page shows it, some fields filled in otherwise (None: left out)."""
    form = (page or operator.page(path)).one("form", id="product")
    values = {**filled(form), **changes}
    return operator.post(
        form.attributes["action"], {k: v for k, v in values.items() if v is not None}
    )


def alert(response: TestResponse) -> str:
    return read(response.text).one(class_="alert").words


def png(size: tuple[int, int] = (900, 600)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "navy").save(out, "PNG")
    return out.getvalue()


def upload(
    operator: Browser, content: bytes, name: str = "photo.png", **changes: str
) -> TestResponse:
    form = operator.page(POSTER).one("form", id="upload")
    values = {**form.fields, "picture": (io.BytesIO(content), name), **changes}
    response = operator.post(f"{POSTER}/picture", values)
    response.request.environ["wsgi.input"].close()  # a file of the test client's own
    return response


@pytest.fixture
def second(app: Flask) -> Browser:
    """Another operator, who has signed in too."""
    browser = Browser(app, address="198.51.100.100")
    assert browser.send("/admin/login", password=PASSWORD).status_code == 303
    return browser


def test_the_list_shows_every_product_in_the_order_of_the_shelf(operator: Browser) -> None:
    page = operator.page("/admin/products")
    names = [row.one("a").words for row in page.all("tr") if row.all("a")]
    assert names == ["Opening night <poster>", "Record", "Zine", "Later"]
    assert page.one("tr", id="product-poster").all("td", class_="number")[1].words == "40"


def test_a_form_that_nobody_touched_changes_nothing(operator: Browser, shop: Shop) -> None:
    before = shop.store.catalogue.read()
    for product in before.products:
        path = f"/admin/products/{product.slug}"
        assert path_of(send(operator, path)) == path
    assert shop.store.catalogue.read() == before


def test_what_is_saved_is_on_the_shelf_at_once(operator: Browser, visitor: Browser) -> None:
    assert path_of(send(operator, name="Closing night poster", **{"price-0": "27.50"})) == POSTER
    assert "Saved." in operator.page(POSTER).one(class_="notice").words
    page = visitor.page("/products/poster")
    assert page.one("h1").words == "Closing night poster"
    assert "27.50" in page.one("form", id="buy").words


def test_a_new_product_is_made_off_the_shelf_and_then_put_there(
    operator: Browser, visitor: Browser, shop: Shop
) -> None:
    made = send(
        operator,
        "/admin/new-product",
        name="Mug",
        **{"sku-0": "mug", "price-0": "12.00", "stock-0": "7"},
    )
    assert path_of(made) == "/admin/products/mug"
    assert visitor.get("/products/mug").status_code == 404
    assert {level.sku: level.available for level in restocking.levels(shop)}["mug"] == 7
    page = operator.page("/admin/products/mug")
    operator.submit(page, "put", where="shelf")
    assert visitor.page("/products/mug").one("h1").words == "Mug"
    operator.submit(operator.page("/admin/products/mug"), "put", where="archive")
    assert visitor.get("/products/mug").status_code == 404
    archived = operator.page("/admin/products").one("section").words
    assert "Mug" in archived
    operator.submit(page, "put", where="shelf")
    assert visitor.page("/products/mug")


def test_each_mistake_stands_beside_its_field_and_everything_typed_is_kept(
    operator: Browser, shop: Shop
) -> None:
    before = shop.store.catalogue.read()
    typed = {
        "name": "",
        "description": "New words\n\nin two parts",
        "tags": "print, " + "x" * 60,
        "opens_at": "soon",
        "max_per_order": "none",
        "options-0": "Red",
        "price-0": "25,00",
        "sku-2": "poster red",
        "price-2": "",
        "stock-2": "-4",
        "options-2": "Colour: Blue",
    }
    response = send(operator, **typed)
    assert response.status_code == 422
    page = read(response.text)
    for name, value in typed.items():
        field = page.one(id=name)
        kept = field.attributes.get("value") if field.tag == "input" else field.words
        assert kept == (value if field.tag == "input" else " ".join(value.split()))
    wrong = {name for name in typed if page.one(id=name).attributes.get("aria-invalid")}
    assert wrong == set(typed) - {"description", "options-2"}
    for name in wrong:
        field = page.one(id=name)
        described = field.attributes["aria-describedby"].split()
        assert f"{name}-error" in described
        for other in described:
            assert page.one(id=other).words
    links = [a.attributes["href"] for a in page.one(class_="alert").all("a")]
    assert {link.removeprefix("#") for link in links} == wrong
    assert shop.store.catalogue.read() == before


def test_after_the_mistakes_are_mended_the_same_form_is_saved(
    operator: Browser, shop: Shop
) -> None:
    page = read(
        send(
            operator, name="", **{"sku-2": "poster-xl", "price-2": "40", "options-2": "Colour: XL"}
        ).text
    )
    assert path_of(send(operator, page=page, name="Poster")) == POSTER
    product = shop.store.catalogue.read().every["poster"]
    assert (product.name, [v.sku for v in product.variants]) == (
        "Poster",
        ["poster-red", "poster-ink", "poster-xl"],
    )


def test_of_two_operators_one_wins_and_the_other_sees_both(
    operator: Browser, second: Browser, shop: Shop
) -> None:
    page, other = operator.page(POSTER), second.page(POSTER)
    assert path_of(send(second, page=other, name="Theirs", **{"price-0": "26.00"})) == POSTER
    refused = send(operator, page=page, name="Mine", description="My words")
    assert refused.status_code == 409
    assert "Somebody changed this product" in alert(refused)
    shown = read(refused.text)
    assert shown.one(id="name").attributes["value"] == "Mine"
    theirs = [one.words for one in shown.all(class_="theirs")]
    assert theirs == [
        "There now: Theirs",
        "There now: Screen print, signed. Rolled, never folded.",
        "There now: 26.00",
    ]
    assert shop.store.catalogue.read().every["poster"].name == "Theirs"
    assert path_of(send(operator, page=shown)) == POSTER
    product = shop.store.catalogue.read().every["poster"]
    assert (product.name, product.description, product.variants[0].price) == (
        "Mine",
        "My words",
        2500,
    )


def test_a_variant_that_the_other_added_is_not_lost_by_saving_mine(
    operator: Browser, second: Browser, shop: Shop
) -> None:
    page, other = operator.page(POSTER), second.page(POSTER)
    send(second, page=other, **{"sku-2": "poster-xl", "price-2": "40", "options-2": "Colour: XL"})
    refused = read(send(operator, page=page, name="Mine").text)
    assert "poster-xl" in refused.one("form", id="product").words
    assert path_of(send(operator, page=refused)) == POSTER
    product = shop.store.catalogue.read().every["poster"]
    assert (product.name, len(product.variants)) == ("Mine", 3)


def test_a_variant_is_archived_and_keeps_its_stock(operator: Browser, visitor: Browser) -> None:
    send(operator, **{"archived-0": "1"})
    assert "poster-red" not in visitor.get("/products/poster").text
    stock = operator.page("/admin/stock")
    row = next(row for row in stock.all("tr") if "poster-red" in row.words)
    assert "Opening night <poster> (Red) (off the shelf)" in row.words
    assert visitor.send("/checkout", sku="poster-red", quantity="1").status_code == 422
    send(operator, **{"archived-1": None})
    assert "poster-red" in visitor.get("/products/poster").text


def test_the_last_variant_cannot_be_archived(operator: Browser) -> None:
    refused = send(operator, **{"archived-0": "1", "archived-1": "1"})
    assert refused.status_code == 422
    assert "at least one must be sold" in alert(refused)


def test_a_sku_of_another_product_is_refused_at_its_field(operator: Browser) -> None:
    refused = send(operator, **{"sku-2": "zine", "price-2": "1", "options-2": "Colour: Blue"})
    assert refused.status_code == 422
    assert read(refused.text).one(id="sku-2-error").words == "The SKU belongs to Zine."


def test_sold_out_shows_the_alternatives_that_are_in_stock(
    operator: Browser, visitor: Browser
) -> None:
    send(operator, "/admin/products/zine", alternatives=["record", "later"])

    def shown() -> list[str]:
        section = visitor.page("/products/zine").one("section", **{"aria-labelledby": "instead"})
        cards = [card for card in section.all("li") if "hidden" not in card.attributes]
        return [card.one("h2").words for card in cards]

    assert shown() == ["Record"]
    visitor.send("/checkout", sku="record", quantity="3")
    assert shown() == []


def test_the_order_of_the_shelf_changes_without_scripts(
    operator: Browser, visitor: Browser
) -> None:
    page = operator.page("/admin/products")
    assert "disabled" in page.one("tr", id="product-poster").one("button", value="up").attributes
    moved = operator.submit(page, "/admin/products/poster/move", way="down")
    assert path_of(moved) == "/admin/products"
    cards = [card.words for card in visitor.page("/").all("h2", class_="card-name")]
    assert cards[:2] == ["Record", "Opening night <poster>"]


@pytest.mark.parametrize(
    ("path", "values", "status"),
    [
        ("/admin/products/none/move", {"way": "up"}, 404),
        ("/admin/products/none/show", {"where": "shelf"}, 404),
        ("/admin/products/none", {"name": "x", "sku-0": "x", "price-0": "1"}, 404),
        ("/admin/products/none/picture", {}, 404),
        (f"{POSTER}/move", {"way": "left"}, 400),
        (f"{POSTER}/show", {"where": "bin"}, 400),
        (POSTER, {}, 422),
        ("/admin/products", {}, 422),
    ],
)
def test_forms_that_were_made_up_change_nothing(
    operator: Browser, shop: Shop, path: str, values: dict[str, str], status: int
) -> None:
    before = shop.store.catalogue.read()
    assert operator.send_signed_in(path, **values).status_code == status
    assert shop.store.catalogue.read() == before


def test_a_form_without_its_revision_is_stale(operator: Browser, shop: Shop) -> None:
    assert send(operator, name="New", revision=None).status_code == 409
    assert shop.store.catalogue.read().every["poster"].name == "Opening night <poster>"


def test_an_opening_time_is_in_the_shops_zone_which_the_form_names(
    make_shop: Callable[..., Shop],
) -> None:
    shop = make_shop(SHOP_TIMEZONE="Europe/Berlin")
    operator = Browser(assemble(shop))
    operator.send("/admin/login", password=PASSWORD)
    assert "In the time zone Europe/Berlin." in operator.page(POSTER).one(id="opens_at-hint").words
    send(operator, opens_at="2027-07-01T12:00")
    assert shop.store.catalogue.read().every["poster"].opens_at == 1_814_436_000_000  # 10:00 UTC
    assert operator.page(POSTER).one(id="opens_at").attributes["value"] == "2027-07-01T12:00"


def test_an_uploaded_picture_is_shown_in_sizes_with_room_kept_for_it(
    operator: Browser, visitor: Browser
) -> None:
    assert path_of(upload(operator, png(), "no-name")) == POSTER
    image = visitor.page("/products/poster").one("img", class_="picture").attributes
    assert (image["width"], image["height"]) == ("900", "600")
    widths = [one.split() for one in image["srcset"].split(", ")]
    assert [width for _, width in widths] == ["400w", "800w", "900w"]
    for address, width in widths:
        shown = visitor.get(address)
        assert shown.mimetype == "image/webp"
        assert "max-age=31536000" in shown.headers["Cache-Control"]
        assert Image.open(io.BytesIO(shown.data)).width == int(width.removesuffix("w"))
    card = visitor.page("/").all("img", class_="picture")[0].attributes
    assert card["srcset"] == image["srcset"]
    visitor.send("/bag", sku="poster-red", quantity="1")
    assert visitor.page("/bag").one("img", class_="thumb").attributes["src"].endswith("-400.webp")


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        (b"", "", "Choose a file first."),
        (b"plain text", "photo.png", "no picture that can be read here"),
        (
            b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>",
            "a.png",
            "An SVG can carry a script",
        ),
        (png((2000, 1500))[:3000], "photo.png", "cut off or damaged"),
        (bytes(10_000_001), "photo.jpg", "larger than 10 MB"),
    ],
    ids=["nothing", "text", "svg", "cut off", "huge"],
)
def test_a_bad_upload_is_told_at_its_field(
    operator: Browser, shop: Shop, content: bytes, name: str, sentence: str
) -> None:
    refused = upload(operator, content, name)
    assert refused.status_code == 422
    assert sentence in read(refused.text).one(id="picture-error").words
    assert shop.store.catalogue.read().every["poster"].image == "poster.svg"


def test_two_pictures_at_once_one_wins_and_the_other_is_told(operator: Browser, shop: Shop) -> None:
    seen = operator.page(POSTER).one("form", id="upload").fields["image"]
    upload(operator, png((10, 10)))
    first = shop.store.catalogue.read().every["poster"].image
    late = upload(operator, png((20, 20)), image=seen)
    assert late.status_code == 409
    assert "Somebody put another picture here" in read(late.text).one(id="picture-error").words
    assert shop.store.catalogue.read().every["poster"].image == first


def test_a_picture_can_be_taken_away(operator: Browser, shop: Shop) -> None:
    operator.submit(operator.page(POSTER), "upload", remove="1")
    assert shop.store.catalogue.read().every["poster"].image == ""


def test_only_this_form_of_somebody_signed_in_may_be_large(
    operator: Browser, visitor: Browser
) -> None:
    big = {"picture": (io.BytesIO(bytes(100_000)), "a.png")}
    assert upload(operator, bytes(100_000)).status_code == 422
    assert visitor.send(f"{POSTER}/picture", **big).status_code == 413
    big = {"picture": (io.BytesIO(bytes(100_000)), "a.png")}
    assert operator.send_signed_in(POSTER, **big).status_code == 413
    assert upload(operator, bytes(MOST_SENT + 1)).status_code == 413


def test_a_stale_token_is_refused_before_anything_is_looked_at(
    operator: Browser, shop: Shop
) -> None:
    for path in (POSTER, f"{POSTER}/picture", f"{POSTER}/move", "/admin/products"):
        assert operator.post(path, {"csrf_token": "x", "name": "x"}).status_code == 400
    assert shop.store.catalogue.read().every["poster"].name == "Opening night <poster>"


def test_a_shop_without_products_can_begin_here(
    make_settings: Callable[..., object], shop: Shop, redis: object, app: Flask
) -> None:
    redis.flushall()  # type: ignore[attr-defined]
    operator = Browser(app)
    operator.send("/admin/login", password=PASSWORD)
    assert "There are no products yet" in operator.page("/admin/products").words
    send(
        operator,
        "/admin/new-product",
        name="Mug",
        **{"sku-0": "mug", "price-0": "12", "stock-0": "1"},
    )
    operator.submit(operator.page("/admin/products/mug"), "put", where="shelf")
    assert Browser(app).page("/products/mug").one("h1").words == "Mug"
    assert editing.find(shop, "mug").published

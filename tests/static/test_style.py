"""What the stylesheet, the icons, the demo goods and the page about them promise."""

import re
import tomllib
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from decimal import Decimal
from itertools import product
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STYLESHEET = ROOT / "static" / "shop.css"
OPERATORS = ROOT / "static" / "admin.css"
"""What only the operator's pages load, after the other."""
STALL = ROOT / "static" / "stall.css"
"""What only the screen at the stall loads, after it."""
DESIGN = ROOT / "docs" / "design.md"
CATALOGUE = ROOT / "demo" / "catalogue.toml"
DRAWINGS = sorted((ROOT / "demo").glob("*.svg"))
OWN_SVGS = [*DRAWINGS, ROOT / "static" / "favicon.svg", ROOT / "static" / "icons.svg"]
SVG = "{http://www.w3.org/2000/svg}"

# Words on the surfaces they inherit; pairs set in one rule are found in the stylesheet itself.
WORDS_ON_SURFACES = [
    *product(["ink", "soft", "red", "good", "bad", "wait"], ["paper", "card", "tint"]),
    *product(["ink", "soft"], ["soft-tint"]),
    ("bad", "bad-tint"),
    ("good", "good-tint"),
    ("wait", "wait-tint"),
]
# WCAG 2.2, 1.4.11: what shows where a field or the focus is.
EDGES_ON_SURFACES = [
    *product(["edge", "rule", "ink"], ["paper", "card", "tint"]),
    ("good", "good-tint"),
    ("bad", "bad-tint"),
    ("wait", "wait-tint"),
    ("ink", "soft-tint"),
]


def css() -> str:
    """All stylesheets without their comments."""
    text = STYLESHEET.read_text() + OPERATORS.read_text() + STALL.read_text()
    return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)


def colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})\b", block))


def themes() -> dict[str, dict[str, str]]:
    """Each theme's colours as a visitor has them: dark only overrides light."""
    light, rest = css().split("@media (prefers-color-scheme: dark)", 1)
    dark = rest[: rest.index("\n}\n")]
    return {"light": colours(light), "dark": colours(light) | colours(dark)}


def luminance(colour: str) -> float:
    """WCAG's relative luminance of #rrggbb."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """WCAG's contrast ratio, 1 to 21."""
    dim, bright = sorted([luminance(one), luminance(other)])
    return (bright + 0.05) / (dim + 0.05)


def pairs_in_one_rule() -> set[tuple[str, str]]:
    """(colour, background) of every rule that sets both from tokens."""
    found = set()
    for body in re.findall(r"\{([^{}]*)\}", css()):
        word = re.search(r"(?<![\w-])color: var\(--([\w-]+)\)", body)
        surface = re.search(r"(?<![\w-])background: var\(--([\w-]+)\)", body)
        if word and surface:
            found.add((word[1], surface[1]))
    return found


def catalogue() -> list[dict]:
    return tomllib.loads(CATALOGUE.read_text())["products"]


def test_contrast_is_computed_as_wcag_does():
    """Black on white is 21; the grey that WCAG's own examples call just enough is 4.5."""
    assert round(contrast("#000000", "#ffffff"), 2) == 21
    assert round(contrast("#767676", "#ffffff"), 2) == 4.54


def test_the_stylesheet_is_small():
    """20 kB raw: a phone on a bad line sees the shop at once."""
    assert STYLESHEET.stat().st_size <= 20_000


def test_the_stylesheet_loads_nothing():
    assert re.findall(r"@import|@font-face|url\(|https?:|//", css()) == []


def test_the_stylesheet_is_balanced():
    """A lost brace would silently drop every rule after it."""
    assert css().count("{") == css().count("}")


def test_every_token_used_is_defined_and_every_one_defined_is_used():
    text = css()
    used = set(re.findall(r"var\(--([\w-]+)", text))
    defined = set(re.findall(r"(?<![\w-])--([\w-]+):", text))
    assert used == defined


def test_dark_is_a_theme_of_its_own():
    """Every colour but the brand's sun and awning changes when the visitor's system is dark."""
    light, dark = themes()["light"], themes()["dark"]
    assert {"sun", "on-sun", "awning"} == {name for name in light if light[name] == dark[name]}
    assert luminance(light["paper"]) > 0.8
    assert luminance(dark["paper"]) < 0.02


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_have_contrast_enough(theme):
    """4.5 or more (WCAG 2.2 AA) for each word on each surface it can lie on."""
    tokens = themes()[theme]
    pairs = {*WORDS_ON_SURFACES, *pairs_in_one_rule()}
    assert ("on-red", "red") in pairs
    weak = {
        pair: round(contrast(tokens[pair[0]], tokens[pair[1]]), 2)
        for pair in pairs
        if contrast(tokens[pair[0]], tokens[pair[1]]) < 4.5
    }
    assert weak == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_edges_have_contrast_enough(theme):
    """3 or more for the edges of fields, the focus ring and the marks."""
    tokens = themes()[theme]
    weak = {
        (edge, surface): round(contrast(tokens[edge], tokens[surface]), 2)
        for edge, surface in EDGES_ON_SURFACES
        if contrast(tokens[edge], tokens[surface]) < 3
    }
    assert weak == {}


@pytest.mark.parametrize(
    "wish",
    [
        "(prefers-color-scheme: dark)",
        "(prefers-reduced-motion: reduce)",
        "(forced-colors: active)",
        "print",
    ],
)
def test_the_visitors_settings_are_heard(wish):
    assert f"@media {wish} {{" in css()


def test_focus_is_always_visible():
    """Where a rule takes the outline away, the next one gives it to what is seen instead."""
    text = css()
    assert ":focus-visible { outline: 3px solid var(--ink)" in text
    without = re.findall(r"([^{}]+)\{ outline: none \}", text)
    assert [rule.strip() for rule in without] == ["main:focus", ".card-name a:focus-visible"]
    assert ".card-name a:focus-visible::after { outline: 3px solid var(--ink)" in text


def test_the_target_size_is_44_pixels():
    assert "--target: 2.75rem;" in css()


def class_names_in_the_stylesheet() -> set[str]:
    selectors = re.sub(r"\{[^{}]*\}", " ", css())
    return set(re.findall(r"\.([a-z][\w-]*)", selectors))


def test_the_design_page_names_every_class():
    words = set(re.findall(r"[a-z][a-z-]*[a-z]|[a-z]", DESIGN.read_text()))
    assert class_names_in_the_stylesheet() - words == set()


def test_every_class_on_the_design_page_is_styled():
    """A snippet taken from the page gets the look it was shown with."""
    shown = {
        name
        for value in re.findall(r'class="([^"…]*)', DESIGN.read_text())
        for name in value.split()
    }
    # These carry no look of their own: they say what a thing is to scripts and tests.
    plain = {"bag-link", "secondary"}
    assert shown - plain - class_names_in_the_stylesheet() == set()


def test_every_token_on_the_design_page_exists():
    defined = set(re.findall(r"(--[\w-]+):", css()))
    assert set(re.findall(r"`(--[\w-]+)`", DESIGN.read_text())) - defined == set()


def test_the_design_page_lists_every_icon():
    root = ET.parse(ROOT / "static" / "icons.svg").getroot()
    drawn = {symbol.get("id") for symbol in root.iter(f"{SVG}symbol")}
    listing = re.search(
        r"Icons in `/static/icons.svg`:(.*?)\. Always", DESIGN.read_text(), re.DOTALL
    )
    assert listing is not None
    assert set(re.findall(r"`(\w+)`", listing[1])) == drawn


@pytest.mark.parametrize("path", OWN_SVGS, ids=lambda path: path.name)
def test_a_drawing_is_small_and_plain(path):
    """Well-formed, at most 6 kB, titled, and nothing in it runs, styles or loads."""
    assert path.stat().st_size <= 6_000
    root = ET.parse(path).getroot()
    allowed = [
        "svg",
        "title",
        "defs",
        "g",
        "path",
        "circle",
        "ellipse",
        "rect",
        "use",
        "symbol",
        "clipPath",
        "pattern",
    ]
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= set(allowed)
    assert root.findtext(f"{SVG}title")
    for element in root.iter():
        for name, value in element.attrib.items():
            assert name != "style"
            assert not name.startswith("on")
            if name.endswith("href"):
                assert value.startswith("#")
            assert re.fullmatch(r"url\(#\w+\)", value) or "url(" not in value


@pytest.mark.parametrize("path", OWN_SVGS, ids=lambda path: path.name)
def test_what_a_drawing_refers_to_is_in_it_once(path):
    root = ET.parse(path).getroot()
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    wanted = re.findall(r'(?:href="|url\()#(\w+)', path.read_text())
    assert set(wanted) <= set(ids)


@pytest.mark.parametrize("path", DRAWINGS, ids=lambda path: path.name)
def test_a_product_picture_is_square(path):
    assert ET.parse(path).getroot().get("viewBox") == "0 0 800 800"


def test_every_demo_product_has_its_picture_and_every_picture_its_product():
    pictures = [item["image"] for item in catalogue()]
    assert len(pictures) >= 9
    assert sorted(pictures) == [path.name for path in DRAWINGS]


def test_demo_names_are_unique():
    slugs = [item["slug"] for item in catalogue()]
    skus = [variant["sku"] for item in catalogue() for variant in item["variants"]]
    assert len(slugs) == len(set(slugs))
    assert len(skus) == len(set(skus))
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) for name in slugs + skus)


def test_demo_products_are_complete():
    """Each has its texts, a price in whole cents and some stock."""
    for item in catalogue():
        assert item["name"]
        assert len(item["description"]) > 60
        for variant in item["variants"]:
            assert Decimal(variant["price"]) > 0
            assert re.fullmatch(r"\d+\.\d\d", variant["price"])
            assert 1 <= variant["stock"] <= 60


def test_the_variants_of_a_demo_product_are_told_apart_by_their_options():
    for item in catalogue():
        if len(item["variants"]) > 1:
            options = [tuple(sorted(variant["options"].items())) for variant in item["variants"]]
            assert len(set(options)) == len(options)


def test_the_demo_shows_the_rare_cases():
    """One last unit, an order limit, and one product that is not on sale yet."""
    stocks = [variant["stock"] for item in catalogue() for variant in item["variants"]]
    assert stocks.count(1) == 1
    assert any(item.get("max_per_order") == 2 for item in catalogue())
    opens = [item["opens_at"] for item in catalogue() if "opens_at" in item]
    assert opens == [datetime(2027, 12, 1, 10, tzinfo=UTC)]

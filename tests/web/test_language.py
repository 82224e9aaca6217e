"""Each visitor reads the shop in a language that their browser asks for, if the shop speaks it."""

from collections.abc import Callable

import pytest

from storefront import languages
from storefront.app import assemble
from storefront.domain.orders import Line, Order, Reason, State
from storefront.services.shop import Shop
from storefront.web import lines, states
from storefront.web.grid import Grid
from tests.web.browsing import Browser, Element

Open = Callable[..., Browser]


@pytest.fixture
def open_(make_shop: Callable[..., Shop]) -> Open:
    """A visitor of a shop that speaks both languages, or others by its settings."""

    def visit(**changes: str) -> Browser:
        return Browser(assemble(make_shop(**{"SHOP_LANGUAGES": "en,de", **changes})))

    return visit


def an_order(state: State, reason: str) -> Order:
    return Order(
        id="o1",
        state=state,
        created=0,
        currency="usd",
        amount=2500,
        lines=(Line("poster", 1, 2500, "Poster"),),
        deadline=1,
        expires_at=1,
        session_version=1,
        reason=reason,
    )


def shelf_for(visitor: Browser, accepted: str) -> Element:
    return visitor.page("/", headers={"Accept-Language": accepted} if accepted else {})


def language_of(page: Element) -> str:
    return page.one("html").attributes["lang"]


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.5", "de"),
        ("en-GB,de;q=0.9", "en"),
        ("fr;q=0.9, de;q=0.5, en;q=0.4", "de"),
        ("fr", "en"),
        ("*", "en"),
        ("", "en"),
        ("de;q=0, en;q=0.1", "en"),
        ("de;q=not-a-number", "en"),
        ("\x80,;;q=,=", "en"),
    ],
)
def test_the_first_language_that_the_browser_accepts_is_spoken(
    open_: Open, accepted: str, language: str
) -> None:
    page = shelf_for(open_(), accepted)
    assert language_of(page) == language
    link = page.one("a", class_="skip").words
    assert link == {"en": "Skip to content", "de": "Zum Inhalt springen"}[language]


def test_who_asks_for_no_language_of_the_shop_reads_its_own(open_: Open) -> None:
    assert language_of(shelf_for(open_(SHOP_LOCALE="de_AT"), "fr")) == "de"
    assert language_of(shelf_for(open_(SHOP_LOCALE="ja_JP"), "fr")) == "en"
    assert language_of(shelf_for(open_(SHOP_LANGUAGES="de"), "en")) == "de"


def test_the_next_visitor_is_not_spoken_to_in_the_language_of_the_one_before(open_: Open) -> None:
    """The cards are kept as they were rendered, for each language."""
    visitor = open_()
    for accepted, words in [("de", "Ausverkauft"), ("en", "Sold out"), ("de", "Ausverkauft")]:
        page = shelf_for(visitor, accepted)
        assert [b.words for b in page.all("p", class_="sold-out")] == [words]
    assert languages.current() == "en"


def test_cards_kept_for_all_languages_together_would_be_seen(
    open_: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: so the shelf looks when the cards forget whose they are."""
    visitor = open_()
    html = Grid.html
    kept: list[str] = []

    def forgetful(grid: Grid, shelf: object) -> str:
        kept.append(html(grid, shelf))  # type: ignore[arg-type]
        return kept[0]

    monkeypatch.setattr(Grid, "html", forgetful)
    shelf_for(visitor, "de")
    assert "Ausverkauft" in [b.words for b in shelf_for(visitor, "en").all("p", class_="badge")]


def test_pages_say_that_they_differ_by_language_and_files_do_not(open_: Open) -> None:
    visitor = open_()
    assert "Accept-Language" in visitor.get("/").headers["Vary"]
    assert "Accept-Language" in visitor.get("/nothing").headers["Vary"]
    assert "Accept-Language" not in visitor.get("/stock.json").headers.get("Vary", "")
    assert "Accept-Language" not in visitor.get("/static/shop.css").headers.get("Vary", "")


def test_amounts_and_times_go_with_the_language(open_: Open) -> None:
    visitor = open_()
    for accepted, price in [("de", "28,00 $"), ("en", "$28.00")]:
        page = visitor.page("/products/record", headers={"Accept-Language": accepted})
        assert page.one("p", class_="price").words == price


def test_the_operator_reads_english(open_: Open) -> None:
    page = open_().page("/admin/login", headers={"Accept-Language": "de"})
    assert language_of(page) == "en"
    assert page.one("button").words == "Sign in"


def test_every_state_of_an_order_is_told_in_german() -> None:
    untold = []
    for state in State:
        for reason in ("", *Reason):
            order = an_order(state, reason)
            english = states.tell(order, now=0)
            with languages.spoken("de"):
                german = states.tell(order, now=0)
            same = (german.title == english.title) or (german.text == english.text)
            if same or (english.charged and german.charged == english.charged):
                untold.append((state, reason))
    assert untold == []


def test_every_state_of_a_place_in_line_is_told_in_german() -> None:
    told = [lines.GONE, lines.UNCONFIRMED, lines.OFFER, lines.PAYING, lines.BOUGHT]
    told += [lines.ON_ITS_WAY, lines.OVER, *lines.ENDED.values()]
    with languages.spoken("de"):
        assert [one for one in told if one.said().text == one.text] == []
        assert lines.tell(None).title == "Diesen Platz gibt es nicht mehr"


GERMAN = {"Accept-Language": "de"}


def test_refusals_are_german_for_who_reads_german(open_: Open) -> None:
    visitor = open_()
    token = visitor.token()
    for path, values, words in [
        ("/checkout", {"sku": "zine", "quantity": "1"}, "Das letzte Stück ist verkauft"),
        ("/checkout", {"sku": "record", "quantity": "99"}, "Höchstens 10 pro Bestellung"),
        ("/checkout", {"sku": "later", "quantity": "1"}, "noch nicht im Verkauf"),
        ("/checkout", {"sku": "record", "quantity": "x"}, "Die Menge muss eine ganze Zahl"),
        ("/checkout", {"sku": "none", "quantity": "1"}, "die Nummer „none“"),
        ("/bag", {"sku": "", "quantity": "1"}, "Wähle zuerst aus, was du kaufen möchtest."),
        ("/orders", {"email": "ada"}, "Schreib sie so: name@example.org."),
    ]:
        answer = visitor.post(path, {"csrf_token": token, **values}, headers=GERMAN)
        assert answer.status_code >= 400
        assert words in answer.text
    assert "Hier ist nichts" in visitor.get("/nothing", headers=GERMAN).text


def test_programs_read_english(open_: Open) -> None:
    visitor = open_(SHOP_LANGUAGES="de")
    assert visitor.get("/orders/nothing.json").json["error"] == "There is no such order"
    assert visitor.post("/webhooks/stripe").json["error"] == "not a signed event"


def test_a_lost_storage_is_said_in_german(open_: Open, cut: Callable[[], None]) -> None:
    visitor = open_()
    cut()
    answer = visitor.get("/", headers=GERMAN)
    assert answer.status_code == 503
    assert "Der Shop kann seinen Bestand nicht zählen" in answer.text

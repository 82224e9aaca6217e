"""Restocking by a list: looked at line by line, then done once."""

from io import BytesIO

from werkzeug.test import TestResponse

from storefront.services import restocking, waitlist
from storefront.services.shop import Shop
from tests.web.browsing import Browser, Element, read

PATH = "/admin/restock/list"
LIST = "sku,delta,reason\nposter-red,12,second box\nrecord,-2,torn\nrecord,5,found\n"


def levels(shop: Shop) -> dict[str, tuple[int, int, int]]:
    """Available, written off and stocked, by SKU."""
    return {
        one.sku: (one.available, one.written_off, one.stocked) for one in restocking.levels(shop)
    }


def look(operator: Browser, text: str) -> TestResponse:
    return operator.submit(operator.page(PATH), "look", text=text, file=None)


def rows(answer: TestResponse, table: str) -> list[str]:
    return [row.words for row in read(answer.text).one("table", id=table).all("tr")[1:]]


def alert(answer: TestResponse) -> str:
    return read(answer.text).one("div", class_="alert").words


def test_a_list_is_shown_line_by_line_before_anything_is_changed(
    operator: Browser, shop: Shop
) -> None:
    before = levels(shop)
    answer = look(operator, LIST)
    assert answer.status_code == 200
    assert [row.split(" ")[:2] for row in rows(answer, "seen")] == [
        ["2", "poster-red"],
        ["3", "record"],
        ["4", "record"],
    ]
    assert "+12 52 second box" in rows(answer, "seen")[0]
    assert "-2 1 torn" in rows(answer, "seen")[1]
    assert "+5 6 found" in rows(answer, "seen")[2]
    assert levels(shop) == before


def test_what_was_shown_is_done_and_the_same_form_again_does_nothing_twice(
    operator: Browser, shop: Shop
) -> None:
    page = read(look(operator, LIST).text)
    done = operator.submit(page, "carry-out")
    assert done.status_code == 200
    assert all("counted" in row for row in rows(done, "done"))
    after = levels(shop)
    assert (after["poster-red"], after["record"]) == ((52, 0, 52), (6, 2, 8))
    assert {e.why for e in restocking.history(shop)} >= {"second box", "torn", "found"}
    again = operator.submit(page, "carry-out")
    assert all("counted before" in row for row in rows(again, "done"))
    assert levels(shop) == after


def test_a_list_that_was_broken_off_is_finished_by_the_same_form(
    operator: Browser, shop: Shop
) -> None:
    page = read(look(operator, LIST).text)
    key = page.one("form", id="carry-out").fields["key"]
    restocking.restock(
        shop, sku="poster-red", delta=12, reason="second box", who="admin", key=f"{key}:2"
    )
    done = operator.submit(page, "carry-out")
    assert ["counted before" in row for row in rows(done, "done")] == [True, False, False]
    assert levels(shop)["poster-red"] == (52, 0, 52)
    assert levels(shop)["record"] == (6, 2, 8)


def test_an_uploaded_file_is_read_as_a_spreadsheet_saved_it(operator: Browser, shop: Shop) -> None:
    file = (BytesIO(b"\xef\xbb\xbfSKU;Delta;Reason\r\nrecord;7;\xc3\xbcber\r\n"), "list.csv")
    answer = operator.submit(operator.page(PATH), "look", text="", file=file)
    assert "+7 10 über" in rows(answer, "seen")[0]
    operator.submit(read(answer.text), "carry-out")
    assert levels(shop)["record"] == (10, 0, 10)


def test_every_line_that_cannot_be_done_is_said_and_then_none_is(
    operator: Browser, shop: Shop
) -> None:
    before = levels(shop)
    text = "record,-2,torn\nrecord,-2,lost\nnothing,1,box\nposter-red,x,box\nrecord,-2,torn\nzine,9"
    answer = look(operator, text)
    assert answer.status_code == 422
    assert "5 of 6 lines cannot be done: 2, 3, 4, 5, 6." in alert(answer)
    verdicts = rows(answer, "seen")
    assert "Only 1 are available: what is held or sold cannot be taken away." in verdicts[1]
    assert "No article has this number." in verdicts[2]
    assert "The change is x" in verdicts[3]
    assert "The same as line 1." in verdicts[4]
    page: Element = read(answer.text)
    assert not page.all("form", id="carry-out")
    assert page.one("textarea").words == " ".join(text.split())
    sent = operator.send_signed_in(PATH, text=text, key="a-key-of-this-form")
    assert (sent.status_code, levels(shop)) == (422, before)


def test_what_is_no_list_is_answered_with_a_sentence(operator: Browser) -> None:
    for sent, words in (
        (b"", "The list is empty"),
        (b"record,1,box\nrecord,2,\xff", "Line 2 is not UTF-8"),
        (b"x" * 40_000, "more than 32 KiB"),
    ):
        file = (BytesIO(sent), "list.csv")
        answer = operator.submit(operator.page(PATH), "look", text="", file=file)
        assert (answer.status_code, words in alert(answer)) == (422, True)
    file = (BytesIO(b"x" * 200_000), "list.csv")
    assert operator.submit(operator.page(PATH), "look", text="", file=file).status_code == 413
    assert look(operator, 'record,1,"box').status_code == 422
    assert operator.send_signed_in(PATH, text="record,1,box", key="no key").status_code == 422


def test_units_that_were_taken_meanwhile_are_left_out_and_that_is_said(
    operator: Browser, shop: Shop
) -> None:
    page = read(look(operator, "record,-3,lost\nzine,4,box").text)
    restocking.restock(shop, sku="record", delta=-1, reason="gone", who="admin", key="meanwhile")
    done = operator.submit(page, "carry-out")
    assert "1 of 2 lines were not done" in alert(done)
    assert "only 2 available" in rows(done, "done")[0]
    assert levels(shop)["record"] == (2, 1, 3)
    assert levels(shop)["zine"] == (4, 0, 4)


def test_what_somebody_waits_for_is_offered_to_them(operator: Browser, shop: Shop) -> None:
    waitlist.join(shop, sku="zine", email="ada@example.org")
    waitlist.confirm(shop, shop.store.waitlist.all()[0])
    done = operator.submit(read(look(operator, "zine,2,box").text), "carry-out")
    assert "1 available after it" in rows(done, "done")[0]


def test_a_line_of_text_is_never_taken_for_markup(operator: Browser) -> None:
    answer = look(operator, "<b>record</b>,1,<i>box</i>")
    assert "<b>record" not in answer.text.replace("&lt;b", "")
    assert "<i>box" not in answer.text.replace("&lt;i", "")

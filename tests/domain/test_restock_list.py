"""A list of restocks is read as spreadsheets write it, and each mistake is named with its line."""

import pytest

from storefront.domain.restock_list import MOST_BYTES, MOST_ROWS, BadList, Row, decode, read

TWO = [Row(1, "poster", 12, "second box"), Row(2, "record", -1, "scratched")]


@pytest.mark.parametrize(
    ("data", "first"),
    [
        (b"poster,12,second box\nrecord,-1,scratched\n", 1),
        (b"\xef\xbb\xbfSKU;Delta;Reason\r\nposter;+12;second box\r\nrecord;-1;scratched", 2),
        (b"\r\rposter\t12\tsecond box\rrecord\t-1\tscratched\r\r", 3),
        (b'"sku", delta ,reason\n"poster",12,"second box"\n record , -1 ,scratched\n,,\n', 2),
    ],
)
def test_a_list_is_read_as_spreadsheets_write_it(data: bytes, first: int) -> None:
    rows = read(decode(data))
    assert [(r.sku, r.delta, r.reason, r.wrong) for r in rows] == [
        (r.sku, r.delta, r.reason, "") for r in TWO
    ]
    assert [row.number for row in rows] == [first, first + 1]


def test_the_first_line_tells_what_stands_between_the_cells() -> None:
    [row] = read('"poster, red";12;"late, but ""here"""')
    assert (row.sku, row.delta, row.reason) == ("poster, red", 12, 'late, but "here"')


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("poster,12", "2 cells instead of the three"),
        ("poster,12,box,late", "4 cells instead of the three"),
        (",12,box", "no SKU"),
        ("x" * 65 + ",12,box", "no SKU"),
        ("poster,,box", "The change is nothing"),
        ("poster,1.5,box", "The change is 1.5"),
        ("poster,1e3,box", "The change is 1e3"),
        ("poster,--1,box", "The change is --1"),
        ("poster,١٢,box", "The change is ١٢"),
        ("poster,1000000,box", "The change is 1000000"),
        ("poster,0,box", "The change is 0."),
        ("poster,-0,box", "The change is 0."),
        ("poster,12,", "The reason is missing"),
        ("poster,12," + "x" * 201, "The reason has more than 200"),
        ("poster,12,bo\u2028x", "The reason has more than 200"),
    ],
)
def test_each_mistake_is_named_in_its_own_line(line: str, words: str) -> None:
    good, wrong = read(f"record,-1,scratched\n{line}")
    assert (good.wrong, wrong.number) == ("", 2)
    assert words in wrong.wrong


def test_the_same_change_twice_is_a_slip_and_two_changes_of_one_sku_are_none() -> None:
    rows = read("poster,12,box\nposter,-1,torn\nposter,+12,box")
    assert [row.wrong for row in rows] == ["", "", "The same as line 1."]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "The list is empty"),
        (b"\xef\xbb\xbf\r\n , ,\r\n", "The list is empty"),
        (b"sku,delta,reason\n", "The list is empty"),
        (b"poster,12,box\nrecord,1,gew\xf6lbt\n", "Line 2 is not UTF-8"),
        (b'poster,12,box\nrecord,1,"two\nlines"\n', "Line 2 has a quotation mark"),
        (b"poster,12,b\0x\n", "bytes that no text has"),
        (b"p,1,x" * MOST_BYTES, "more than 32 KiB: cut it in two"),
        (b"".join(b"p,%d,x\n" % n for n in range(1, MOST_ROWS + 2)), "more than 500 changes"),
    ],
)
def test_what_is_no_list_is_refused_with_a_sentence(data: bytes, words: str) -> None:
    with pytest.raises(BadList, match=words):
        read(decode(data))

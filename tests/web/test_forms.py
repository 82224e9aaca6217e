"""What forms send is read strictly."""

from io import BytesIO
from typing import IO

import pytest
from werkzeug.datastructures import MultiDict

from storefront.domain.errors import BadInput
from storefront.web import forms

NOT_NUMBERS = [
    "", " ", "1 ", " 1", "+1", "-1", "1e3", "1.0", "1,0", "0x10", "nan", "inf", "١", "²", "1_0",
    "1\n", "１", "1234567", "9" * 400,
]  # fmt: skip


@pytest.mark.parametrize("text", NOT_NUMBERS)
def test_only_plain_ascii_digits_are_a_quantity(text: str) -> None:
    with pytest.raises(BadInput, match="whole number"):
        forms.whole_number(text, "The quantity")


def test_digits_are_a_quantity_leading_zeros_included() -> None:
    assert [forms.whole_number(t, "It") for t in ("0", "7", "007", "999999")] == [0, 7, 7, 999_999]


@pytest.mark.parametrize("text", [t for t in NOT_NUMBERS if t != "-1"] + ["--1", "-", "- 1", "-+1"])
def test_a_change_takes_nothing_but_digits_and_one_minus(text: str) -> None:
    with pytest.raises(BadInput, match="whole number"):
        forms.signed_number(text, "The change")


def test_a_change_may_be_negative() -> None:
    assert [forms.signed_number(t, "It") for t in ("-3", "12", "-0")] == [-3, 12, 0]


def test_lines_of_one_sku_are_added_up() -> None:
    assert forms.wanted(["a", "b", "a"], ["1", "2", "3"]) == {"a": 4, "b": 2}


@pytest.mark.parametrize(
    ("skus", "quantities", "says"),
    [
        (["a"], [], "one quantity"),
        (["a"], ["1", "1"], "one quantity"),
        (["a"], ["0"], "1 or more"),
        ([""], ["1"], "Choose"),
        (["a\nb"], ["1"], "no article"),
        (["a" * 65], ["1"], "no article"),
        (["a"] * 101, ["1"] * 101, "at most 100"),
    ],
)
def test_lines_that_make_no_order_are_refused_with_what_is_wrong(
    skus: list[str], quantities: list[str], says: str
) -> None:
    with pytest.raises(BadInput, match=says):
        forms.wanted(skus, quantities)


def test_a_form_without_a_token_gets_a_fresh_one_each_time() -> None:
    made = {forms.form_token(MultiDict()) for _ in range(20)}
    assert len(made) == 20
    assert all(forms.TOKEN.fullmatch(token) for token in made)


def test_a_forms_token_is_taken_as_it_is() -> None:
    token = forms.new_token()
    assert forms.form_token(MultiDict({"token": token})) == token


@pytest.mark.parametrize(
    "token", ["short", "with:colon-in-it", "a" * 129, "tökens-are-ascii", "a b c d e f"]
)
def test_a_damaged_token_is_refused(token: str) -> None:
    with pytest.raises(BadInput, match="token"):
        forms.form_token(MultiDict({"token": token}))


@pytest.mark.parametrize("end", [b"--b--\r\n", b""])
def test_a_file_of_a_form_that_breaks_off_is_closed(end: bytes) -> None:
    begun: list[IO[bytes]] = []

    def begin(*_about: object, **_more: object) -> IO[bytes]:
        begun.append(BytesIO())
        return begun[-1]

    file = b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\nx\r\n'
    parser = forms.Parser(begin)
    body = BytesIO(file + end)
    _, _, files = parser.parse(body, "multipart/form-data", None, {"boundary": "b"})
    assert [one.closed for one in begun] == [not end]
    assert ("f" in files) is bool(end)

"""Each script's header is held to its body, so that a reader can trust it."""

import re
from collections.abc import Iterator
from enum import StrEnum
from importlib.resources import files

import pytest

from storefront.domain.door import Door
from storefront.storage import answers as words_of
from storefront.storage.asking import ALONE, BOOKS, WITH_BOOKS, text_of
from storefront.storage.keys import Keys

FOLDER = files("storefront.storage") / "lua"
TEXTS = {
    file.name.removesuffix(".lua"): file.read_text("utf-8")
    for file in sorted(FOLDER.iterdir(), key=lambda file: file.name)
    if file.name.endswith(".lua")
}
NAMES = [name for name in TEXTS if name not in {*BOOKS, "door"}]
HEAD = TEXTS["books"]
IN_FRONT = "".join(TEXTS[name] for name in BOOKS)
MOST_LINES = 80
GIVEN = "ARGV KEYS assert cjson ipairs math pairs redis string tonumber type unpack"
"""The globals that Redis and Lua give."""
WORDS = """and break do else elseif end false for function if in local nil not or repeat return then
true until while"""
ENUMS: dict[str, type[StrEnum]] = {
    "hold_stock": words_of.Held,
    "attach_session": words_of.Attached,
    "renew_session": words_of.Renewed,
    "choose_way": words_of.Chosen,
    "extend_hold": words_of.Extended,
    "record_refund": words_of.Recorded,
    "plan_refund": words_of.Planned,
    "hand_over": words_of.Handed,
    "take_back": words_of.TakenBack,
    "record_dispute": words_of.Disputed,
    "end_review": words_of.Resumed,
    "restock": words_of.Restocked,
    "correct_stock": words_of.Corrected,
    "undo_entry": words_of.Undone,
    "publish_catalogue": words_of.Published,
    "note_email": words_of.Noted,
    "note_order": words_of.NoteKept,
    "mail_orders": words_of.Wished,
    "forget_customer": words_of.Forgot,
    "restore_order": words_of.Restored,
    "recount_stock": words_of.Recounted,
    "open_shop": words_of.Opened,
    "join_line": words_of.Joined,
    "confirm_place": words_of.Confirmed,
    "leave_line": words_of.Left,
    "take_offer": words_of.Taken,
    "offer_units": words_of.Passed,
    "read_door": Door,
    "note_ending": words_of.Noted,
    "open_link": words_of.LinkOpened,
    "attach_link": words_of.LinkAttached,
    "take_unit": words_of.UnitTaken,
    "end_link": words_of.LinkEnded,
    "close_link": words_of.LinkClosed,
    "restore_link": words_of.LinkRestored,
    "use_code": words_of.CodeUsed,
    "confirm_codes": words_of.CodesConfirmed,
}
SETTLING = (
    "cancel_authorized",
    "settle_payment",
    "authorize_payment",
    "void_payment",
    "mark_processing",
    "release_hold",
    "review_order",
)


def header(text: str) -> list[str]:
    """The comment lines that a script starts with."""
    lines = []
    for line in text.splitlines():
        if not line.startswith("--"):
            break
        lines.append(line.removeprefix("--").removeprefix(" "))
    return lines


def body(text: str) -> str:
    """The script without its comments."""
    return "\n".join(re.sub(r"--.*", "", line) for line in text.splitlines())


def section(text: str, label: str) -> str:
    """What a label of the header says, its further lines included."""
    found: list[str] = []
    for line in header(text):
        if re.match(r"[A-Z][A-Za-z.]*\s", line) and found:
            break
        if found or line.startswith(f"{label} "):
            found.append(line.removeprefix(label).strip())
    return " ".join(found)


def without_brackets(text: str) -> str:
    """The text without what stands in (), [] and {}, however deep."""
    while (
        shorter := re.sub(r"\([^()\[\]{}]*\)|\[[^()\[\]{}]*\]|\{[^()\[\]{}]*\}", "", text)
    ) != text:
        text = shorter
    return text


def asked(text: str) -> set[str]:
    """The fields that the header's ASK names."""
    fields = re.split(r",| and ", without_brackets(section(text, "ASK")))
    return {field.strip() for field in fields if field.strip()}


def answered(text: str) -> set[str]:
    """The words that the header's ANSWER names."""
    parts = without_brackets(section(text, "ANSWER")).split("|")
    found = (re.match(r"\s*([a-z_]+)\b", part) for part in parts)
    return {match[1] for match in found if match}


def arguments(code: str, function: str) -> Iterator[str]:
    """The first argument of each call of a function."""
    for call in re.finditer(rf"\b{function}\(", code):
        depth, at = 1, call.end()
        while depth and not (depth == 1 and code[at] == ","):
            depth += {"(": 1, "{": 1, ")": -1, "}": -1}.get(code[at], 0)
            at += 1
        yield code[call.end() : at if depth else at - 1]


def answers(code: str) -> set[str]:
    """The words that a script can answer with."""
    if "return { door_stands(" in code:
        code += body(TEXTS["door"])
    found: set[str] = set(re.findall(r"return '([a-z_]+)'", code))
    for argument in arguments(code, "answer"):
        if table := re.fullmatch(r"unpack\((\w+)\)", argument):
            assigned = re.search(rf"local [^=\n]*\b{table[1]}\b[^=\n]*=.*\{{ '([a-z_]+)'", code)
            assert assigned, f"{table[1]} starts with no word"
            found.add(assigned[1])
        else:
            found |= set(re.findall(r"(?<!== )'([a-z_]+)'", argument))
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_header_starts_with_one_sentence_that_says_what_the_script_does(name: str) -> None:
    first, second, *_ = header(TEXTS[name])
    assert re.fullmatch(r"[A-Z][^.]*\.", first), first
    assert second == ""


@pytest.mark.parametrize("name", NAMES)
def test_a_header_names_keys_question_answer_and_an_example(name: str) -> None:
    assert section(TEXTS[name], "KEYS")
    assert section(TEXTS[name], "ARGV" if name in ALONE else "ASK")
    assert section(TEXTS[name], "ANSWER")
    assert section(TEXTS[name], "E.g.")


@pytest.mark.parametrize("name", WITH_BOOKS)
def test_the_header_names_exactly_the_fields_that_the_script_reads(name: str) -> None:
    code = body(TEXTS[name])
    read = set(re.findall(r"\bask\.(\w+)", code)) | {"order"}
    if re.search(r"\bkeep_email\(", code):
        read.add("email")
    if re.search(r"\bkeep_parts\(", code):
        read.add("parts")
    if re.search(r"\bbegin_payment\(", code):
        read |= {"terms", "ask_ms"}
    if re.search(r"\bsend_back\(", code):
        read |= {"payment_intent", "amount"}
    if re.search(r"\bhas_to_wait\(", code):
        read.add("in_turn")
    # Read by answer(), which every script ends with. A script that is told of no event has none.
    optional = {"event", "order"}
    assert asked(TEXTS[name]) | optional == read | optional
    nested = set(re.findall(r"\w+", re.sub(r"\(.*?\)", "", section(TEXTS[name], "ASK"))))
    assert set(re.findall(r"\bline\.(\w+)", code)) <= nested | {"sku", "quantity"}


def test_what_all_scripts_are_asked_stands_in_the_header_of_the_books() -> None:
    said = section(HEAD, "ARGV")
    read = set(re.findall(r"\bask\.(\w+)", body(IN_FRONT)))
    assert read - {"event", "email"} == set(re.findall(r"ask\.(\w+)", said))


@pytest.mark.parametrize("name", ALONE)
def test_a_script_without_the_books_counts_its_keys_and_arguments(name: str) -> None:
    code, text = body(TEXTS[name]), TEXTS[name]
    for kind in ("KEYS", "ARGV"):
        used = {int(number) for number in re.findall(rf"{kind}\[(\d)\]", code)}
        named = {int(number) for number in re.findall(r"(?:^|, )(\d) ", section(text, kind))}
        assert used == named
        assert f"#{kind} == {len(used)}" in code


@pytest.mark.parametrize("name", NAMES)
def test_the_header_names_exactly_the_words_that_the_script_answers(name: str) -> None:
    assert answered(TEXTS[name]) == answers(body(TEXTS[name]))


@pytest.mark.parametrize(("name", "words"), ENUMS.items())
def test_python_knows_exactly_the_words_that_the_script_answers(
    name: str, words: type[StrEnum]
) -> None:
    assert answers(body(TEXTS[name])) == set(words)


def test_python_knows_exactly_the_words_with_which_an_order_is_settled() -> None:
    words = set[str]().union(*(answers(body(TEXTS[name])) for name in SETTLING))
    assert words == set(words_of.Settled) - {words_of.Settled.OPEN}


def test_every_script_is_loaded_and_every_loaded_script_exists() -> None:
    assert {*WITH_BOOKS, *ALONE} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_script_is_one_action_and_fits_on_a_page(name: str) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)?", name)
    assert len(TEXTS[name].splitlines()) <= MOST_LINES


def test_the_books_name_their_keys_in_the_order_in_which_python_gives_them() -> None:
    declared = re.findall(
        r"^local ((?:[A-Z_]+, )*[A-Z_]+) = ((?:KEYS\[\d+\](?:, )?)+)", HEAD, re.MULTILINE
    )
    names = [name for names, _ in declared for name in names.split(", ")]
    numbers = [int(n) for _, keys in declared for n in re.findall(r"\d+", keys)]
    given = [key.partition(":")[2].removeprefix("stock:") for key in Keys("s").books()]
    assert numbers == list(range(1, 26))
    assert [name.lower() for name in names] == [*given, "seen", "order", "hold"]


def test_the_header_of_the_books_tells_the_same_order_of_keys() -> None:
    said = " ".join(header(HEAD))
    said = said[said.index("KEYS 1-5") : said.index("ARGV 1")]
    numbers = re.findall(r"(?:KEYS |\s)(\d+(?:-\d+)?) +([a-z:|_]+(?:, [a-z]+)*)", said)
    named: list[str] = []
    for _, names in numbers:
        named += re.split(r"[|]|, ", names.removeprefix("stock:"))
    given = [key.partition(":")[2].removeprefix("stock:") for key in Keys("s").books()]
    assert [name.rstrip(":") for name in named][: len(given)] == given


@pytest.mark.parametrize("name", TEXTS)
def test_every_command_works_on_a_key_that_was_given(name: str) -> None:
    declared = set(re.findall(r"\b([A-Z_]+)\b(?=[^\n]*= KEYS\[)", HEAD))
    declared |= {"ASKED", "LINK", "LINKS"}  # stand in the places of SEEN, ORDER and HOLD
    handed_on = {"counter", "index", "door", "stocked", "COUNTERS[from]", "COUNTERS[to]"}
    keys = re.findall(r"redis\.call\('([A-Z]+)'(?:, ([^,)]+))?", body(TEXTS[name]))
    for command, key in keys:
        assert (command == "TIME") == (key == ""), (command, key)
        assert not key or key in declared | handed_on or re.fullmatch(r"KEYS\[\d\]", key), key


@pytest.mark.parametrize("name", NAMES)
def test_a_script_sets_and_reads_no_global(name: str) -> None:
    code = body(text_of(name))
    code = re.sub(r"'[^'\n]*'", "''", code)
    assert not re.search(r"(?<!local )\bfunction \w", code)
    declared = set(GIVEN.split())
    for names in re.findall(r"\blocal ((?:\w+, )*\w+)", code):
        declared |= set(names.split(", "))
    for names in re.findall(r"\bfor ((?:\w+, )*\w+) (?:in|=)", code):
        declared |= set(names.split(", "))
    for function, names in re.findall(r"\blocal function (\w+)\(([^)]*)\)", code):
        declared |= {function, *re.findall(r"\w+", names)}
    depth = 0
    for match in re.finditer(r"[{}]|(?<![.\w])[A-Za-z_]\w*", code):
        token = match[0]
        depth += {"{": 1, "}": -1}.get(token, 0)
        if token in "{}" or token in WORDS.split():
            continue
        field = depth and re.match(r" = (?!=)", code[match.end() :])
        assert field or token in declared, token


@pytest.mark.parametrize("name", NAMES)
def test_a_script_asserts_how_many_keys_it_got(name: str) -> None:
    code = HEAD if name in WITH_BOOKS else TEXTS[name]
    assert re.search(r"^assert\(#KEYS [>=]= \d+ .*and #ARGV == \d+", code, re.MULTILINE)

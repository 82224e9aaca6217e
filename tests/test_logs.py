"""A line for each thing that happened, readable by people or by machines, on stderr."""

import json
import logging
from collections.abc import Iterator

import pytest

from storefront import logs


@pytest.fixture(autouse=True)
def root() -> Iterator[None]:
    """The root logger, put back afterwards."""
    logger = logging.getLogger()
    level, handlers = logger.level, list(logger.handlers)
    yield
    logger.setLevel(level)
    logger.handlers[:] = handlers


def test_json_is_one_object_a_line_with_the_order_in_its_own_field(
    capsys: pytest.CaptureFixture[str],
):
    logs.set_up("json")
    logging.getLogger("shop.test").info("paid\n%s", "twice", extra={"order": "ord_1"})
    out, err = capsys.readouterr()
    (line,) = err.splitlines()
    data = json.loads(line)
    assert data.pop("time").endswith("+00:00")
    assert data == {
        "level": "info",
        "logger": "shop.test",
        "message": "paid\ntwice",
        "order": "ord_1",
    }
    assert out == ""


def test_text_shows_the_order_too(capsys: pytest.CaptureFixture[str]):
    logs.set_up("text")
    logging.getLogger("shop.test").warning("late", extra={"order": "ord_1", "other": "unseen"})
    err = capsys.readouterr().err
    assert "warning shop.test: late order=ord_1\n" in err
    assert "unseen" not in err


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_error_brings_its_traceback(form: str, capsys: pytest.CaptureFixture[str]):
    logs.set_up(form)
    try:
        int("broken")
    except ValueError:
        logging.getLogger("shop.test").exception("failed")
    err = capsys.readouterr().err
    assert "ValueError: invalid literal" in err
    assert (len(err.splitlines()) == 1) is (form == "json")


def test_setting_up_twice_logs_once(capsys: pytest.CaptureFixture[str]):
    logs.set_up("text")
    logs.set_up("json")
    logging.getLogger("shop.test").info("once")
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_libraries_that_show_what_they_send_are_quiet(capsys: pytest.CaptureFixture[str]):
    logs.set_up("text")
    for name in logs.QUIET:
        logging.getLogger(name).info("a request with everything in it")
    assert capsys.readouterr().err == ""

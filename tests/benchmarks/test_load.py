"""The load generator: what it counts, and that it never takes a wrong answer for speed."""

from collections.abc import Iterator
from itertools import repeat

import pytest
from gevent import socket
from gevent.server import StreamServer

from benchmarks.load import Expected, Reader, WrongAnswer, drive, request

GET = request("GET", "/", {"Host": "localhost"})


def serve(answers: Iterator[bytes]) -> Iterator[int]:
    """A server that gives these answers in turn; yields its port."""

    def connection(opened: socket.socket, _address: object) -> None:
        with opened:
            reader = Reader(opened)
            while reader.message():
                if not (answer := next(answers, b"")):
                    return
                opened.sendall(answer)

    server = StreamServer(("127.0.0.1", 0), connection)
    server.start()
    yield server.server_port
    server.stop()


@pytest.fixture
def port(answers: list[bytes]) -> Iterator[int]:
    yield from serve(iter(answers))


FOUND = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nthere"
MOVED = b"HTTP/1.1 303 See Other\r\ncontent-length: 0\r\nLocation: /x\r\n\r\n"
SOLD_OUT = b"HTTP/1.1 409 Conflict\r\nContent-Length: 5\r\n\r\nthere"


@pytest.mark.parametrize("answers", [[FOUND] * 9])
def test_it_ends_with_the_last_request_and_counts_every_answer(port: int):
    load = drive(port, iter([GET] * 9), Expected(200, b"there"), connections=4)
    assert load.answers == 9
    assert load.rate == 9 / load.seconds


@pytest.mark.parametrize("answers", [[FOUND] * 100_000])
def test_it_ends_after_its_seconds_however_many_requests_are_left(port: int):
    load = drive(port, repeat(GET), Expected(200), connections=2, seconds=0.05)
    assert 2 <= load.answers < 100_000
    assert load.seconds >= 0.05


@pytest.mark.parametrize("answers", [[MOVED] * 3])
def test_heads_are_kept_when_they_are_asked_for(port: int):
    load = drive(port, iter([GET] * 3), Expected(303), connections=1, keep_heads=True)
    assert [head.endswith(b"Location: /x") for head in load.heads] == [True] * 3


@pytest.mark.parametrize("answers", [[FOUND, FOUND, SOLD_OUT, FOUND]])
def test_another_status_ends_it(port: int):
    with pytest.raises(WrongAnswer, match="409"):
        drive(port, iter([GET] * 4), Expected(200, b"there"), connections=1)


@pytest.mark.parametrize("answers", [[FOUND]])
def test_another_body_ends_it(port: int):
    with pytest.raises(WrongAnswer, match="there"):
        drive(port, iter([GET]), Expected(200, b"elsewhere"), connections=1)


@pytest.mark.parametrize("answers", [[]])
def test_a_connection_that_ends_without_an_answer_ends_it(port: int):
    with pytest.raises(WrongAnswer):
        drive(port, iter([GET]), Expected(200), connections=1)


def test_a_request_is_sent_whole():
    sent = request("POST", "/checkout", {"Host": "localhost"}, b"sku=tote")
    assert (
        sent == b"POST /checkout HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8\r\n\r\nsku=tote"
    )

"""Bytes that arrive where HTTP is spoken: requests bent in every way, and what is none at all."""

import random
from collections.abc import Callable, Sequence

ODD = (
    *(
        b"",
        b"\x00",
        b"\xff\xfe",
        b"\r",
        b"\n",
        b" ",
        b"\t",
        b"%00",
        b"%zz",
        b"..",
        b"//",
        b"\\",
        b"\x7f",
    ),
    *(
        b"\xc3\xa9",
        b"a" * 9000,
        b"\x1b[31m",
        b"<i>fuzz</i>",
        b"../../etc/passwd",
        b"?" * 50,
        b"#",
        b";",
    ),
)
METHODS = (
    b"GET",
    b"POST",
    b"HEAD",
    b"PUT",
    b"OPTIONS",
    b"TRACE",
    b"CONNECT",
    b"PRI",
    b"get",
    b"G\x00T",
    b"X" * 99,
)
VERSIONS = (
    *(b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/0.9", b"HTTP/2.0", b"HTTP/3.0", b"HTTP/1.2"),
    *(b"HTP/1.1", b"HTTP/1", b"http/1.1", b"HTTP/1.1 x", b"HTTP/11", b"", b"HTTP/\xff.1"),
)
HEADERS: tuple[bytes, ...] = (
    *(b"Content-Length: 5", b"Content-Length: 0", b"Content-Length: -1", b"Content-Length: +5"),
    *(
        b"Content-Length: 5, 5",
        b"Content-Length: 0x5",
        b"Content-Length: " + b"9" * 40,
        b"Content-Length:",
    ),
    *(b"Content-Length : 5", b"Content_Length: 5", b"content-length: 5\r\nContent-Length: 6"),
    *(
        b"Transfer-Encoding: chunked",
        b"Transfer-Encoding: chunked, chunked",
        b"Transfer-Encoding: x",
    ),
    *(
        b"Transfer-Encoding: gzip, chunked",
        b"Transfer-Encoding: identity",
        b"Transfer-Encoding : chunked",
    ),
    *(b"Transfer-Encoding:\x0bchunked", b"Transfer-Encoding: chunked\r\nContent-Length: 5"),
    *(
        b"Host: evil.example",
        b"Host:",
        b"Host: 127.0.0.1\r\nHost: evil.example",
        b"Host: a..b",
        b"Host: [::1",
    ),
    *(
        b"Expect: 100-continue",
        b"Expect: x",
        b"Upgrade: websocket\r\nConnection: Upgrade",
        b"Connection: x",
    ),
    *(
        b"Range: bytes=0-0,1-1",
        b"If-None-Match: *",
        b"Accept-Encoding: \xff",
        b"Cookie: " + b"a=b; " * 900,
    ),
    *(
        b"Cookie: shop_session=x\x00",
        b"X-Forwarded-For: " + b"1.2.3.4, " * 500,
        b"X-Forwarded-Host: evil.example",
    ),
    *(
        b"X-Forwarded-Proto: https",
        b"Stripe-Signature: t=1,v1=\xff",
        b"Content-Type: multipart/form-data",
    ),
    *(
        b"Content-Type: application/x-www-form-urlencoded",
        b"no colon",
        b": no name",
        b" folded: x",
        b"\tx: y",
    ),
    *(
        b"a b: c",
        b"\xffx: y",
        b"X: " + b"y" * 20_000,
        b"X: a\x00b",
        b"X: a\rb",
        b"X: a\nb",
        b"Max-Forwards: 0",
    ),
    *(b"\r\n".join(b"X-%d: y" % number for number in range(n)) for n in (50, 99, 120, 500)),
)
CHUNKED = (
    *(
        b"5\r\nhello\r\n0\r\n\r\n",
        b"0\r\n\r\n",
        b"5\r\nhel",
        b"5\r\nhello",
        b"-5\r\nhello\r\n0\r\n\r\n",
    ),
    *(
        b"FFFFFFFFFFFFFFFF\r\nx",
        b"x\r\nhello\r\n0\r\n\r\n",
        b"5;a=b\r\nhello\r\n0\r\n\r\n",
        b"5 \r\nhello\r\n0\r\n\r\n",
    ),
    *(
        b"05\r\nhello\r\n0\r\nX: y\r\n\r\n",
        b"5\nhello\n0\n\n",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhelloX0\r\n\r\n",
    ),
    *(
        b"1\r\nh\r\n" * 500 + b"0\r\n\r\n",
        b"0\r\n" + b"X: y\r\n" * 300 + b"\r\n",
        b"\r\n\r\n",
        b"A" * 9000,
    ),
)
NO_HTTP = (
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"\r\n" * 50,
    b"",
    b"EHLO x\r\n",
    b"*1\r\n$4\r\nPING\r\n",
    b"GET /" + b"a" * 70_000,
    b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000,
)
PATHS = (
    *(
        b"/",
        b"/bag",
        b"/products/ticket",
        b"/stock.json",
        b"/healthz",
        b"/static/icons.svg",
        b"/nothing",
    ),
    *(
        b"/checkout",
        b"/webhooks/stripe",
        b"/admin/",
        b"/admin/login",
        b"/orders/x",
        b"*",
        b"http://evil.example/",
    ),
)


class Raw:
    """Draws one connection's bytes from one random source."""

    def __init__(self, chance: random.Random, links: Sequence[bytes]) -> None:
        """``links`` are addresses of orders, which nothing here may change."""
        self._chance, self._paths = chance, (*PATHS, *links)

    def connection(self) -> bytes:
        """What one client sends before it has nothing more to say."""
        if self._chance.random() < 0.06:
            return self._chance.choice((*NO_HTTP, self._chance.randbytes(200)))
        sent = b"".join(self._request() for _ in range(self._chance.choice((1, 1, 1, 1, 2, 3))))
        for _ in range(self._chance.choice((0, 0, 0, 1, 2))):
            sent = self._bent(sent)
        return sent

    def _request(self) -> bytes:
        chance = self._chance
        method = chance.choice((b"GET", b"GET", b"POST", b"POST", chance.choice(METHODS)))
        path = chance.choice(self._paths)
        if chance.random() < 0.15:
            at = chance.randrange(len(path) + 1)
            path = path[:at] + chance.choice(ODD) + path[at:]
        version = chance.choice(VERSIONS) if chance.random() < 0.1 else b"HTTP/1.1"
        headers = [b"Host: localhost"] if chance.random() < 0.9 else []
        headers += [chance.choice(HEADERS) for _ in range(chance.choice((0, 0, 0, 1, 1, 2)))]
        chance.shuffle(headers)
        body = chance.choice((b"", b"hello", b"sku=ticket&quantity=1", chance.choice(CHUNKED)))
        if method == b"POST" and chance.random() < 0.6:
            headers.append(
                b"Content-Length: %d" % (len(body) + chance.choice((0, 0, 0, -1, 1, 500)))
            )
        line = chance.choice((*[b" "] * 20, b"  ", b"\t")).join((method, path, version))
        return b"\r\n".join([line, *headers, b"", body])

    def _bent(self, sent: bytes) -> bytes:
        at = self._chance.randrange(len(sent) + 1)
        bends: tuple[Callable[[], bytes], ...] = (
            lambda: sent[:at],
            lambda: sent[:at] + bytes([self._chance.randrange(256)]) + sent[at + 1 :],
            lambda: sent[:at] + self._chance.choice(ODD) + sent[at:],
            lambda: sent.replace(b"\r\n", b"\n"),
            lambda: sent.replace(b"\r\n", b"\r"),
            lambda: sent + self._chance.randbytes(30),
            lambda: b"\r\n" + sent,
        )
        return self._chance.choice(bends)()

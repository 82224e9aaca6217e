"""Headers: cookies, hosts, proxies' words, languages, ranges, conditions and lengths of all kinds."""

import random
from typing import Any

from tests.fuzz.encodings import URLENCODED, urlencoded
from tests.fuzz.groups import Attack, Found, chance_of
from tests.fuzz.stage import HOST, Stage

PAGES = (
    *("/", "/", "/bag", "/products/poster", "/stock.json", "/healthz", "/readyz", "/metrics"),
    *("/static/icons.svg", "/pictures/poster.svg", "/admin/", "/admin/login", "/nothing"),
)
EVIL = "evil.example"
ODD = (
    *(
        "",
        " ",
        "*",
        "0",
        "-1",
        "null",
        "a" * 100,
        "a" * 9000,
        "\x01",
        "\x7f",
        "\xff\xfe",
        "é",
        "%00",
        ",,,",
    ),
    *(
        "=",
        ";",
        "a=b; c",
        '"',
        "'",
        "<i>fuzz</i>",
        "{{7*7}}",
        "\t",
        "q=0.5;q=x",
        "1e99",
        "9" * 400,
        "()",
    ),
)
VALUES: dict[str, tuple[str, ...]] = {
    "Host": (
        *(
            "",
            EVIL,
            f"{HOST}.{EVIL}",
            f"{EVIL}#{HOST}",
            f"{HOST}:99999",
            f"{HOST}:x",
            "[::1",
            "[::1]",
        ),
        *(
            f"{HOST}, {EVIL}",
            f"{EVIL}\\@{HOST}",
            f"user@{HOST}",
            "localhost",
            "127.0.0.1:80",
            f"{HOST}.",
        ),
        *("SHOP.EXAMPLE", f"{HOST}/..", "a" * 300, "[fe80::1%25eth0]", "\xe9xample", " ", "%00"),
    ),
    "X-Forwarded-For": ("1.2.3.4", "::1", "1.2.3.4, 5.6.7.8", "x" * 5000, "127.0.0.1", "fe80::1%x"),
    "X-Forwarded-Host": (EVIL, f"{EVIL}, {HOST}", ""),
    "X-Forwarded-Proto": ("https", "javascript", "http, https"),
    "X-Forwarded-Port": ("443", "0", "x", "99999999"),
    "X-Forwarded-Prefix": ("/evil", f"//{EVIL}", "../.."),
    "Forwarded": (f"for=1.2.3.4;host={EVIL};proto=https", "for=_x", 'for="[::1]:x"'),
    "X-Original-Url": ("/admin/", f"http://{EVIL}/"),
    "X-Http-Method-Override": ("DELETE", "POST"),
    "Accept": ("*/*", "text/html;q=nan", "application/json", "text/event-stream", "a/b;" * 500),
    "Accept-Language": ("de", "*;q=0", "xx-" * 300, "en;q=1.5", "en;q=-1", "../../x"),
    "Accept-Encoding": ("gzip", "br;q=x", "identity;q=0, *;q=0", "deflate, gzip;q=1.0, *;q=0.5"),
    "Accept-Charset": ("utf-16", "nothing"),
    "Range": (
        "bytes=0-0",
        "bytes=-1",
        "bytes=9-1",
        "bytes=0-",
        "bytes=" + "0-1," * 500,
        "x=1-2",
        "bytes=a-b",
    ),
    "If-Range": ('"x"', "Tue, 01 Dec 2026 10:00:00 GMT", "never"),
    "If-Modified-Since": (
        "never",
        "Tue, 01 Dec 2026 10:00:00 GMT",
        "Thu, 01 Jan 0001 00:00:00 GMT",
        "9" * 50,
    ),
    "If-Unmodified-Since": ("never", "Tue, 01 Dec 1970 10:00:00 GMT"),
    "If-None-Match": ("*", '"x"', 'W/"x"', '"' * 99, "x,y,z"),
    "If-Match": ("*", '"x"', "\\"),
    "Content-Type": ("x", "text/html; charset=\xff", "multipart/form-data", "a" * 500, ";"),
    "Content-Length": ("", "-1", "x", "1e3", "9" * 40, "0x10", "+1", " 1", "1, 1"),
    "Transfer-Encoding": ("chunked", "chunked, chunked", "gzip", "identity", "x"),
    "Expect": ("100-continue", "nothing"),
    "Upgrade": ("websocket", "h2c"),
    "Connection": ("close", "Upgrade", "keep-alive, x", "Cookie"),
    "Authorization": (
        "Bearer",
        "Bearer x",
        "Basic eA==",
        "Basic \xff",
        "Digest a=b,c",
        "Bearer " + "x" * 9000,
    ),
    "Origin": ("null", f"http://{EVIL}", HOST),
    "Referer": (f"http://{EVIL}/", "http://[::1", "x", f"http://{HOST}@{EVIL}/"),
    "User-Agent": ("", "() { :; }; id", "x" * 9000),
    "Date": ("never",),
    "Max-Forwards": ("0", "x"),
    "Proxy": (f"http://{EVIL}",),
}


class Headers(Attack):
    """Requests for true pages with headers that no browser sends."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self._names = sorted(VALUES) + ["Host"] * 5

    def play(self, seed: int) -> None:
        chance = chance_of(seed)
        method, path, body = "GET", chance.choice(PAGES), b""
        headers = {"Cookie": self._cookie(chance)}
        if chance.random() < 0.2:  # into the bag, which no header may turn into an order
            method, path = "POST", "/bag"
            token = self.stage.visitor[1]
            body = urlencoded([("csrf_token", token), ("sku", "zine"), ("quantity", "3")])
            headers["Content-Type"] = URLENCODED
        elif chance.random() < 0.1:
            method = "HEAD"
        elif chance.random() < 0.1:  # of a file, which has parts and a time
            path = chance.choice(("/static/icons.svg", "/pictures/poster.svg"))
            name = chance.choice(("Range", "If-None-Match", "If-Match", "If-Modified-Since"))
            headers[name] = chance.choice(VALUES[name])
        for _ in range(chance.choice((1, 1, 2, 3, 6))):
            name = chance.choice(self._names)
            odd = chance.random() < 0.25
            headers[name] = chance.choice(ODD if odd else VALUES[name])
        environ = self._environ(chance)
        reply = self.stage.send(method, path, headers, body, environ=environ)
        sent = f"{method} {path} {headers} {environ}"
        try:
            self.harmless(reply, sent)
            self.outcomes[str(reply.status)] += 1
            said = b"\n".join([*(v.encode() for v in reply.headers.values()), reply.body])
            if EVIL.encode() in said:
                raise Found(f"another's host stands in the answer to {sent}\n{said[:2000]!r}")
            if b"<i>fuzz" in reply.body:
                raise Found(f"markup that was sent stands in the answer to {sent}")
            if not self.stage.untouched():
                raise Found(f"{self.stage.changes()} for {sent}")
        finally:
            self.stage.restore()

    def _environ(self, chance: random.Random) -> dict[str, Any]:
        """What a server says about the connection, sometimes oddly."""
        if chance.random() < 0.8:
            return {}
        name, values = chance.choice(
            (
                (
                    "REMOTE_ADDR",
                    ("", "unix:", "::ffff:1.2.3.4", "fe80::1%eth0", "x" * 99, "1.2.3.4"),
                ),
                ("SERVER_NAME", ("", EVIL, "0.0.0.0")),
                ("SERVER_PORT", ("0", "443", "x")),
                ("SERVER_PROTOCOL", ("HTTP/1.0", "HTTP/0.9", "HTTP/2")),
                ("wsgi.url_scheme", ("https", "http")),
                ("wsgi.input_terminated", (True,)),
            )
        )
        return {str(name): chance.choice(values)}

    def _cookie(self, chance: random.Random) -> str:
        right = chance.choice((self.stage.operator, self.stage.visitor))[0]
        value = right.partition("=")[2]
        at = chance.randrange(len(value))
        return chance.choice(
            (
                right,
                right,
                "",
                right[:-1],
                f"shop_session={value[:at]}{chance.choice('xyz._-%')}{value[at + 1 :]}",
                f"shop_session={value[:at]}",
                f"shop_session={value}; shop_session=x",
                f"shop_session=x; {right}",
                f"shop_session={value.replace('.', '..')}",
                "shop_session=" + "." * 500,
                'shop_session="\\377\\376"',
                "shop_session=\xff\xfe",
                "; ".join(f"c{number}=x" for number in range(500)),
                f"{chance.choice(ODD)}; {right}",
                "shop_session=.eJw" + "A" * chance.randrange(4000),
            )
        )

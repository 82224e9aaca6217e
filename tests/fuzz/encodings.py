"""Writes a form's fields down, as browsers do and as nobody should."""

import json
import random
from collections.abc import Sequence
from urllib.parse import quote_plus

Pairs = Sequence[tuple[str, str]]
URLENCODED = "application/x-www-form-urlencoded"


def encoded(pairs: Pairs, chance: random.Random) -> tuple[str, bytes, bool]:
    """Content type, body, and whether a server must read exactly these pairs from it."""
    match chance.choices(range(6), (60, 15, 8, 6, 6, 5))[0]:
        case 0:
            return URLENCODED, urlencoded(pairs), True
        case 1:
            boundary = f"x{chance.randrange(10**9)}"
            return f"multipart/form-data; boundary={boundary}", multipart(pairs, boundary), True
        case 2:
            return _odd_urlencoded(pairs, chance)
        case 3:
            return _odd_multipart(pairs, chance)
        case 4:
            return _damaged(pairs, chance)
        case _:
            return _other(pairs, chance)


def urlencoded(pairs: Pairs) -> bytes:
    return "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in pairs).encode()


def _quoted(text: str) -> str:
    return quote_plus(text.encode("utf-8", "surrogatepass"))


def multipart(pairs: Pairs, boundary: str) -> bytes:
    parts = []
    for name, value in pairs:
        shown = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{shown}"\r\n\r\n'
        parts.append(head.encode("utf-8", "replace") + value.encode("utf-8", "replace") + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode()


def _odd_urlencoded(pairs: Pairs, chance: random.Random) -> tuple[str, bytes, bool]:
    body = urlencoded(pairs)
    kind = chance.choice(
        (
            f"{URLENCODED}; charset=utf-16",
            f"{URLENCODED}; charset=nothing",
            f"{URLENCODED}; charset=\xff",
            f"{URLENCODED};;;",
            URLENCODED.upper(),
            URLENCODED,
        )
    )
    odd = chance.choice(
        (b"&", b"=", b"%", b"%zz", b"&&&===", b"+", b"\x00", b"\xff\xfe", b"%00%ff")
    )
    at = chance.randrange(len(body) + 1)
    return kind, body[:at] + odd * chance.choice((1, 2, 50)) + body[at:], False


def _odd_multipart(pairs: Pairs, chance: random.Random) -> tuple[str, bytes, bool]:
    kind = "multipart/form-data; boundary=b"
    name, value = chance.choice(list(pairs) or [("sku", "zine")])
    field = f'--b\r\nContent-Disposition: form-data; name="{name}"'.encode("utf-8", "replace")
    file = field + b'; filename="../../x.svg"\r\nContent-Type: image/svg+xml\r\n\r\n'
    inside = value.encode("utf-8", "replace")
    return chance.choice(
        (
            ("multipart/form-data", multipart(pairs, "b"), False),
            ("multipart/form-data; boundary=", multipart(pairs, "b"), False),
            (f"multipart/form-data; boundary={'b' * 200}", multipart(pairs, "b"), False),
            ("multipart/mixed; boundary=b", multipart(pairs, "b"), False),
            (kind, multipart(pairs, "b")[:-7], False),
            (kind, multipart(pairs, "b").replace(b"\r\n", b"\n"), False),
            (kind, multipart(pairs, "b") * 2, False),
            (kind, file + inside + b"\r\n--b--\r\n", False),
            (kind, multipart(pairs, "b")[:-5] + b"\r\n" + file + b"x" * 5000 + b"\r\n--b--", False),
            (kind, field + b"\r\nContent-Type: text/plain; charset=no\r\n\r\nx\r\n--b--", False),
            (kind, field + b"\r\nContent-Transfer-Encoding: base64\r\n\r\neA==\r\n--b--", False),
            (kind, b"--b\r\n\r\nno header\r\n--b--\r\n", False),
            (kind, b"--b\r\n" + b"A: b\r\n" * 3000 + b"\r\nx\r\n--b--\r\n", False),
            (
                kind,
                b"--b\r\nContent-Disposition: form-data; name=\xff\xfe\r\n\r\nx\r\n--b--",
                False,
            ),
            (kind, (field + b"\r\n\r\nx\r\n") * 500 + b"--b--\r\n", False),
        )
    )


def _damaged(pairs: Pairs, chance: random.Random) -> tuple[str, bytes, bool]:
    """A right form with bytes of it changed on the way."""
    multiple = chance.random() < 0.5
    body = bytearray(multipart(pairs, "b") if multiple else urlencoded(pairs))
    for _ in range(chance.randrange(1, 6)):
        if body:
            body[chance.randrange(len(body))] = chance.randrange(256)
    return "multipart/form-data; boundary=b" if multiple else URLENCODED, bytes(body), False


def _other(pairs: Pairs, chance: random.Random) -> tuple[str, bytes, bool]:
    document = json.dumps(dict(pairs)).encode()
    return chance.choice(
        (
            ("application/json", document, False),
            ("text/plain", urlencoded(pairs), False),
            ("", urlencoded(pairs), False),
            ("\xff/\xff", urlencoded(pairs), False),
            ("application/octet-stream", chance.randbytes(300), False),
            (URLENCODED, document, False),
            (URLENCODED, b"", False),
            (URLENCODED, b"a" * 70_000, False),
            (URLENCODED, urlencoded([*pairs, ("more", "x" * 64 * 1024)]), False),
            (URLENCODED, b"&".join(b"f%d=1" % number for number in range(3000)), False),
        )
    )

"""A browser without scripts, for tests: it reads pages, fills in forms and sends them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from werkzeug.test import TestResponse

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}


@dataclass
class Element:
    """One element of a page, with its descendants and the words inside."""

    tag: str
    attributes: dict[str, str]
    children: list["Element | str"] = field(default_factory=list)

    @property
    def words(self) -> str:
        """All text inside, with single spaces."""
        parts = [c if isinstance(c, str) else c.words for c in self.children]
        return " ".join(" ".join(parts).split())

    def all(self, tag: str = "", **attributes: str) -> list["Element"]:
        """Every descendant with this tag and these attributes; ``class_`` is one of its classes."""
        found = []
        for child in self.children:
            if isinstance(child, Element):
                if (not tag or child.tag == tag) and child._has(attributes):
                    found.append(child)
                found += child.all(tag, **attributes)
        return found

    def one(self, tag: str = "", **attributes: str) -> "Element":
        """The only such descendant; fails when there is none, or more than one."""
        found = self.all(tag, **attributes)
        assert len(found) == 1, f"{len(found)} of {tag} {attributes}"
        return found[0]

    def _has(self, wanted: Mapping[str, str]) -> bool:
        for name, value in wanted.items():
            if name == "class_":
                if value not in self.attributes.get("class", "").split():
                    return False
            elif self.attributes.get(name.replace("_", "-")) != value:
                return False
        return True

    @property
    def fields(self) -> dict[str, str]:
        """What a form would send, its buttons aside."""
        values: dict[str, str] = {}
        for input_ in self.all("input"):
            a = input_.attributes
            chosen = a.get("type") not in {"radio", "checkbox"} or "checked" in a
            if "name" in a and chosen and "disabled" not in a:
                values[a["name"]] = a.get("value", "")
        return values


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element(tag, {n: v or "" for n, v in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def read(text: str) -> Element:
    """The page; fails when an element is closed that is not open."""
    reader = _Reader()
    reader.feed(text)
    assert reader.open == [reader.root], f"never closed: {reader.open[-1].tag}"
    return reader.root


class Browser:
    """One visitor, with their own cookies and address."""

    def __init__(self, app: Flask, address: str = "198.51.100.7", base: str = "") -> None:
        self.base = base or app.extensions["storefront"].shop.settings.public_url
        self.client = app.test_client()
        self.address = address

    def get(self, path: str, **options: Any) -> TestResponse:
        return self._open(path, "GET", **options)

    def page(self, path: str, **options: Any) -> Element:
        """The page at this address, which must be there."""
        response = self.get(path, **options)
        assert response.status_code == 200, f"{path}: {response.status_code} {response.text[:500]}"
        return read(response.text)

    def post(self, path: str, data: Any = None, **options: Any) -> TestResponse:
        return self._open(path, "POST", data=data, **options)

    def submit(self, page: Element, form: str, to: str = "", **values: Any) -> TestResponse:
        """Send the form with this id or action, with some fields filled in otherwise."""
        found = [
            f for f in page.all("form") if form in {f.attributes.get("id"), f.attributes["action"]}
        ]
        assert found, f"no form {form}"
        filled: dict[str, Any] = {**found[0].fields, **values}
        return self.post(
            to or found[0].attributes["action"], {k: v for k, v in filled.items() if v is not None}
        )

    def token(self) -> str:
        """A CSRF token of this visitor's, from the login page, which has a form always."""
        return self.page("/admin/login").one("input", name="csrf_token").attributes["value"]

    def send(self, path: str, **values: Any) -> TestResponse:
        """A POST of exactly these values and a right CSRF token."""
        return self.post(path, {"csrf_token": self.token(), **values})

    def send_signed_in(self, path: str, **values: Any) -> TestResponse:
        """As ``send``, for one who has signed in and so never sees the login page."""
        token = self.page("/admin/stock").all("input", name="csrf_token")[0].attributes["value"]
        return self.post(path, {"csrf_token": token, **values})

    def _open(self, path: str, method: str, **options: Any) -> TestResponse:
        headers = dict(options.pop("headers", {}))
        if self.base.startswith("https://"):
            headers.setdefault("Referer", self.base + "/")
        options.setdefault("environ_overrides", {"REMOTE_ADDR": self.address})
        options |= {"base_url": self.base, "headers": headers, "buffered": True}
        return self.client.open(path, method=method, **options)


def path_of(response: TestResponse) -> str:
    """Where a 303 leads, without its host."""
    assert response.status_code == 303, f"{response.status_code}: {response.text[:800]}"
    parts = urlsplit(response.headers["Location"])
    return parts.path + (f"?{parts.query}" if parts.query else "")

"""A folder is what it may touch: imports go one way, and each outside library has one door."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "storefront").rglob("*.py"))

MAY_IMPORT: dict[str, set[str]] = {
    "domain": set(),
    "storage": {"domain"},
    "clients": {"domain"},
    "services": {"storage", "clients", "domain", "settings", "languages"},
    "web": {"services", "domain", "settings", "languages"},
    "worker": {"services", "storage"},
    "cli": {"services", "storage", "domain", "settings", "instance", "worker", "rehearsal"},
    "rehearsal": {"services", "storage", "domain", "settings", "environment"},
    "standin": set(),
    "environment": set(),
    "instance": set(),
    "languages": set(),
    "logs": set(),
    "settings": {"delivering", "environment", "instance", "languages"},
    "delivering": {"domain", "environment"},
    "tether": set(),
    "companions": {"settings", "environment", "instance", "storage"},
    "app": {"cli", "web", "services", "storage", "clients", "domain", "settings"},
}
"""What each part of storefront/ may import of the others; nothing imports app."""

DOORS: dict[str, set[str]] = {
    "redis": {"storefront/storage"},
    "fakeredis": {"storefront/storage"},
    "stripe": {
        "storefront/clients/stripe_api.py",
        "storefront/clients/stripe_connection.py",
        "storefront/standin",
    },
    "smtplib": {"storefront/clients/mail.py"},
    "requests": {"storefront/clients", "storefront/standin", "storefront/rehearsal"},
    "gevent": {"storefront/standin", "storefront/services/pictures.py"},
    "PIL": {"storefront/services/pictures.py"},
    "gunicorn": set(),
    "subprocess": {
        "storefront/storage/embedded.py",
        "storefront/companions.py",
        "storefront/rehearsal/processes.py",
    },
}
"""Where each outside library may be imported within storefront/."""

EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}


def imported(path: Path) -> Iterator[str]:
    """The full name of everything a file imports, wherever in it."""
    package = ".".join(path.relative_to(ROOT).parent.parts)
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                module = ".".join([*above, *filter(None, [module])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def part(path: Path) -> str:
    """Which part of storefront/ a file belongs to."""
    return path.relative_to(ROOT / "storefront").parts[0].removesuffix(".py")


def test_the_walk_sees_imports_of_every_form(tmp_path: Path):
    """The negative control: a rule over a walk that finds nothing would always hold."""
    found = set(imported(ROOT / "storefront" / "storage" / "embedded.py"))
    assert {"fcntl", "redis", "redis.retry.Retry"} <= found
    relative = set(imported(ROOT / "storefront" / "standin" / "__main__.py"))
    assert "storefront.standin.options.parse" in relative


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_one_way(path: Path):
    own = part(path)
    if own == "__init__":
        assert not [name for name in imported(path) if name.startswith("storefront")]
        return
    others = {name.split(".")[1] for name in imported(path) if name.startswith("storefront.")}
    assert others - {own} <= MAY_IMPORT[own]


@pytest.mark.parametrize("library", DOORS)
def test_each_outside_library_has_its_door(library: str):
    users = {
        str(path.relative_to(ROOT))
        for path in SOURCES
        if any(name.split(".")[0] == library for name in imported(path))
    }
    doors = DOORS[library]
    assert not {u for u in users if not any(u == d or u.startswith(f"{d}/") for d in doors)}


def test_every_part_has_its_rule():
    assert {part(path) for path in SOURCES} - {"__init__"} == set(MAY_IMPORT)


def test_the_domain_needs_nothing_but_the_standard_library():
    """Without site-packages, every one of its modules loads."""
    names = [
        f"storefront.domain.{p.stem}" for p in (ROOT / "storefront" / "domain").glob("[a-z]*.py")
    ]
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import {', '.join(names)}"
    command = [sys.executable, "-S", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(names) >= 6


def test_no_module_has_an_empty_name():
    names = {path.stem for path in SOURCES} | {p.name for p in (ROOT / "storefront").rglob("*/")}
    assert not names & EMPTY_NAMES

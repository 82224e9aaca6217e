"""What is documented is what there is: settings, commands, folders, and the tests that are named."""

import re
from pathlib import Path

import click
import pytest
from flask import Flask

from storefront import cli
from storefront.app import assemble, open_shop
from storefront.environment import Environment
from storefront.services import notices, waitlist_mails
from storefront.settings import read_settings
from storefront.storage import keys

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def rows(text: str, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its head."""
    section = f"\n{text}".split(f"\n{heading}\n", 1)[1].split("\n#", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def commands() -> dict[str, click.Command]:
    app = Flask("documented")
    cli.register(app, shop=None)
    group = app.cli.commands["shop"]
    assert isinstance(group, click.Group)
    return dict(group.commands)


def variables(tmp_path: Path) -> set[str]:
    settings = Environment({})
    read_settings(settings, tmp_path)
    return set(settings.read)


def test_the_readme_lists_every_setting_and_no_other(tmp_path: Path):
    listed = [re.findall(r"`([A-Z_]+)`", row[0]) for row in rows(README, "## Settings")]
    assert all(len(names) == 1 for names in listed)
    assert {names[0] for names in listed} == variables(tmp_path)
    assert len(listed) == len(variables(tmp_path))


def test_the_example_file_lists_every_setting_but_the_mode(tmp_path: Path):
    text = (ROOT / ".env.example").read_text("utf-8")
    assert set(re.findall(r"^# ([A-Z_]+)=", text, re.MULTILINE)) == variables(tmp_path)


def test_the_example_file_sets_nothing():
    lines = (ROOT / ".env.example").read_text("utf-8").splitlines()
    assert not [line for line in lines if line and not line.startswith("#")]


def test_what_production_needs_is_starred(tmp_path: Path):
    starred = {
        re.findall(r"`([A-Z_]+)`", row[0])[0]
        for row in rows(README, "## Settings")
        if row[0].endswith("*")
    }
    with pytest.raises(Exception, match="SHOP_ENV=production needs") as refusal:
        read_settings(Environment({"SHOP_ENV": "production"}), tmp_path)
    named = set(re.findall(r"\b[A-Z_]{6,}\b", str(refusal.value))) - {"SHOP_ENV", "README"}
    assert starred == named


def test_the_readme_lists_every_command_and_no_other():
    listed = [re.match(r"`flask shop ([a-z-]+)", row[0]) for row in rows(README, "## Commands")]
    assert {found[1] for found in listed if found} == set(commands())
    assert len(listed) == len(commands())


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_explains_itself_with_an_example(name: str):
    command = commands()[name]
    context = click.Context(command, info_name=f"flask shop {name}")
    text = command.get_help(context)
    assert f"\n    flask shop {name}" in text
    assert command.get_short_help_str()


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_option_of_a_command_is_explained(name: str):
    options = [p for p in commands()[name].params if isinstance(p, click.Option)]
    assert not [option.name for option in options if not option.help]


def test_every_folder_is_explained_and_every_explained_one_is_there():
    listed = {
        re.findall(r"`([^`]+)/`", row[0])[0]
        for row in rows((ROOT / "docs" / "folders.md").read_text("utf-8"), "# Folders")
    }
    tops = ("benchmarks", "demo", "docs", "static", "storefront", "templates")
    found = {".ci", "tests", *tops}
    for top in tops:
        files = (path for path in (ROOT / top).rglob("*") if path.is_file())
        found |= {str(p.parent.relative_to(ROOT)) for p in files if p.suffix != ".pyc"}
    assert listed == found
    assert not [name for name in listed if not (ROOT / name).is_dir()]


def test_every_file_that_the_readme_names_is_there():
    links = re.findall(r"\]\(((?!https?:)[^)]+)\)", README)
    named = re.findall(r"`(tests/[^`]+)`", README)
    assert named
    assert not [path for path in [*links, *named] if not (ROOT / path).exists()]


def test_every_make_target_that_is_named_is_there():
    targets = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    texts = README + (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    assert set(re.findall(r"\bmake ([a-z]+)\b", texts)) <= set(targets)


def test_the_routes_listed_are_those_that_there_are(tmp_path: Path):
    listed = {
        tuple(re.findall(r"`([A-Z]+) (.+)`", row[0])[0])
        for heading in ("## Shoppers", "## Machines", "## The operator", "## Development")
        for row in rows((ROOT / "docs/routes.md").read_text("utf-8"), heading)
    }
    settings = read_settings(Environment({}), tmp_path)
    served = {
        (method, rule.rule)
        for rule in assemble(open_shop(settings)).url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert listed == served


def test_the_keys_listed_are_those_that_there_are():
    text = (ROOT / "docs/operations.md").read_text("utf-8")
    listed = {row[0].strip("`"): row[1] for row in rows(text, "## Keys in Redis")}
    assert listed == keys.DOCUMENTED


def test_the_mails_listed_are_those_that_there_are():
    text = (ROOT / "docs/operations.md").read_text("utf-8")
    assert {row[0].strip("`") for row in rows(text, "## Mails")} == {
        *notices.KINDS,
        waitlist_mails.KIND,
    }

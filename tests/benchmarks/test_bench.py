"""The whole programme, as ``make bench ARGS=--quick`` runs it."""

import json
import math
import re
import subprocess
import sys
from pathlib import Path

from benchmarks.rounds import CASES
from tests.harness import ROOT

ASKED = {(case.name, fsync) for case in CASES for fsync in ("everysec", "always")}


def test_the_documented_figures_are_of_every_case_and_no_other():
    text = (ROOT / "docs" / "performance.md").read_text("utf-8")
    rows = re.findall(r"^\| (.+?) \| (everysec|always) \|", text, re.MULTILINE)
    assert set(rows) == ASKED
    assert len(rows) == len(ASKED)


def test_the_documented_options_are_there():
    text = (ROOT / "docs" / "performance.md").read_text("utf-8")
    command = [sys.executable, "-m", "benchmarks", "--help"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    commands = " ".join(re.findall(r"^(?:make bench|.*-m benchmarks) .*$", text, re.MULTILINE))
    named = set(re.findall(r"(?<![\w-])--[a-z]+", commands))
    assert "--quick" in named
    assert named <= set(re.findall(r"--[a-z]+", shown))


def test_it_runs_and_its_ratios_are_finite_numbers(tmp_path: Path):
    """How large they are is not asked: that is this machine's affair."""
    figures = tmp_path / "figures.json"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "--json", str(figures)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "every check holds" in done.stdout
    assert "round 1/1 always   webhook" in done.stderr
    cases = json.loads(figures.read_text("utf-8"))["cases"]
    measured = {(case["case"], case["appendfsync"]) for case in cases}
    assert measured == {*ASKED, ("noise", "everysec")}
    ratios = [case[name] for case in cases for name in ("rate", "cpu")]
    assert all(math.isfinite(ratio) and ratio > 0 for ratio in ratios)
    assert all(case["shop"]["redis"] > 0 for case in cases if case["case"] != "noise")

"""The measurement of settling, as ``make settling`` runs it, with a handful of orders."""

import json
import math
import subprocess
import sys
from pathlib import Path

from benchmarks.settling import Settled, growth_of
from tests.harness import ROOT


def test_every_order_of_every_size_is_settled_without_a_webhook(tmp_path: Path):
    """The programme itself asks the audit, Stripe's books included, and fails otherwise."""
    figures = tmp_path / "figures.json"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.settling", "--orders", "80", "--json", str(figures)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(figures.read_text("utf-8"))
    assert [size["orders"] for size in found["sizes"]] == [10, 20, 40, 80]
    assert all(size["ms"] > 0 for size in found["sizes"])
    # What a start costs is taken off; it differs by more than what a handful of orders cost.
    assert all(cpu > 0 for cpu in found["sizes"][-1]["cpu_ms"].values())
    assert math.isfinite(found["growth"])


def test_growth_is_what_an_order_costs_beside_one_of_the_smallest_size():
    few = Settled(10, 1.0, 2.0, {"workers": 0.08, "redis": 0.02, "stripe": 9.0})
    many = Settled(80, 8.0, 9.0, {"workers": 1.20, "redis": 0.40, "stripe": 9.0})
    assert math.isclose(few.each, 1000 / 9)
    assert math.isclose(growth_of([few, many]), 2.0)

"""The measurement of the operator's pages, as ``make many-orders`` runs it, with a handful of orders."""

import json
import subprocess
import sys
from pathlib import Path

from tests.harness import ROOT


def test_every_page_and_export_is_measured_at_both_sizes(tmp_path: Path):
    """The programme itself looks whether a page says what it must, and fails otherwise."""
    figures = tmp_path / "figures.json"
    command = [sys.executable, "-m", "benchmarks.many_orders", "--few", "20", "--orders", "60"]
    done = subprocess.run(
        [*command, "--rounds", "1", "--json", str(figures)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(figures.read_text("utf-8"))
    assert found["pages"].keys() == found["exports"].keys() == {"20", "60"}
    assert len(found["pages"]["60"]) == 14
    assert all(page["cpu"] > 0 for size in found["pages"].values() for page in size.values())
    assert (
        found["exports"]["60"]["ledger.csv"]["bytes"]
        > found["exports"]["20"]["ledger.csv"]["bytes"]
    )
    assert "60 orders settled" in done.stderr

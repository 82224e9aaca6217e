"""How much the proofs here do; longer runs set larger numbers by environment variables.

A minute as it is. Four times as much takes five; beyond that a test needs ``--timeout=0`` too.
"""

import os

CLIENTS = 32
"""So many ask at once, each on its own connection."""

CONTESTS = int(os.environ.get("RACES_CONTESTS", "500"))
"""``RACES_CONTESTS``: fights of all clients for 1 to 5 units."""

ROUNDS = int(os.environ.get("RACES_ROUNDS", "25"))
"""``RACES_ROUNDS``: times that each race of many changes to one thing is run."""

LOST = int(os.environ.get("RACES_LOST", "300"))
"""``RACES_LOST``: replies that are lost, for each class of script."""

CUTS = int(os.environ.get("RACES_CUTS", "50"))
"""``RACES_CUTS``: places at which the append-only file is cut."""

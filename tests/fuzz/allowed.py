"""What a form may do: where it writes, and for what words in its fields."""

import re
from collections.abc import Mapping

from tests.fuzz.stage import PASSWORD

TYPED = {
    "password": re.escape(PASSWORD),
    "quantity": r"[0-9]{1,6}",
    "delta": r"-?[0-9]{1,6}",
    "units": r"[0-9]{1,6}",
    "units-": r"[0-9]{0,6}",
    "counted": r"[0-9]{1,6}",
    "minor": r"[0-9]{1,14}",
    "key": r"[A-Za-z0-9_-]{8,128}|",
    "token": r"[A-Za-z0-9_-]{8,128}|",
    "email": r"\s*[^@\s]+@[^@\s]+\s*|",
    "max_per_order": r"\s*([0-9]{1,6})?\s*",
}
"""What a field can say; nothing is done for anything else."""
STOCK = "stock ledger due restock"
ORDER = "order states due ledger units"
HELD = "hold holds returns visitors addresses stock orders mailboxes places waiting sales"
"""What is written when units come free: somebody in line may be offered them."""
GOODS = "catalogue due stock ledger"
MAY: Mapping[str, str] = {
    **{f"admin.account.{name}": "account" for name in ("confirm", "renew_recovery", "set_up")},
    **{f"admin.account.{name}": "account" for name in ("sign_out", "switch_off")},
    **{f"admin.{name}": f"{STOCK} {ORDER} {HELD}" for name in ("counting.correct", "stock.change")},
    **{f"admin.{name}": f"{STOCK} {ORDER} {HELD}" for name in ("restock_list.carry_out",)},
    "admin.undoing.undo": f"{STOCK} undone",
    **{f"admin.links.{name}": "link links stock ledger due units" for name in ("make", "close")},
    "admin.orders.note": "order",
    "admin.orders.send_again": "due order",
    **{f"admin.orders.{name}": ORDER for name in ("mark_sent", "unmark_sent", "resume")},
    **{f"admin.pickup.{name}": "order states due ledger" for name in ("hand", "scan", "undo")},
    "admin.pictures.send": "catalogue due",
    **{f"admin.products.{name}": GOODS for name in ("create", "save", "move", "put")},
    "admin.privacy.forget": f"{ORDER} {HELD}",
    "admin.refunds.send": f"{ORDER} {HELD}",
    "admin.stall.sell": f"{ORDER} {HELD} payments",
    "admin.waitlist.stop": f"{ORDER} {HELD}",
    "admin.holds.release": f"{ORDER} {HELD}",
    "checkout.begin": f"{ORDER} {HELD}",
    "orders.ask": "asked due",
    "orders.extend": "order hold holds due returns",
    "pay.send": "order hold states due",
    "orders.cancel": f"{ORDER} {HELD}",
    "waitlist.act": f"{ORDER} {HELD}",
    "waitlist.join": "places place due",
}
"""What a form writes, by the beginnings of the keys."""
NOTES: Mapping[str, str] = {
    "bag.change": "bag",
    **dict.fromkeys(("checkout.begin", "waitlist.act", "orders.extend"), "hold"),
    "orders.cancel": "hold bag",
    **dict.fromkeys(("admin.login.enter", "admin.login.leave"), "admin bag"),
    **dict.fromkeys(("admin.account.confirm", "admin.account.sign_out"), "admin"),
    **dict.fromkeys(("admin.counting.correct", "admin.stock.change"), "reason"),
}
"""What a form notes in its sender's cookie."""
OPEN = frozenset({"admin.login.enter"})
"""Forms of the operator's that anyone may send; what they do needs the password."""
ALL = frozenset({"admin.privacy.forget"})
"""Forms that are about more than one order."""
LATER = frozenset({"admin.account.set_up"})
"""Forms that are sent when nobody is setting a phone up."""
TRIES = frozenset({"metrics", "account"})
"""What a try at the password may change: that there was one."""
TRYING = frozenset({"admin.login.enter", "admin.account.switch_off"})

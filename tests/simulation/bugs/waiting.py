"""Mistakes with the waitlist: the wrong one is offered, or somebody jumps the line."""

from tests.simulation.bugs.bug import Bug, Change

FREEING = ("release_hold", "record_refund", "restock", "confirm_place", "offer_units")
"""Scripts in which units pass to the next in line."""


def wherever_units_come_free(old: str, new: str) -> tuple[Change, ...]:
    """A change of the books, in the scripts that offer."""
    return tuple((script, old, new) for script in FREEING)


NO_OFFERS = wherever_units_come_free(
    "for sku in pairs(changed) do pass_on(sku) end",
    "for sku in pairs(changed) do if anyone_waits(sku) then schedule('offer:' .. sku, now) end end",
)
"""Offers are made by a job alone, later."""

JOINED_AT_ONCE = """redis.call('ZADD', WAITING, '0', ask.sku .. ':' .. number .. ':' .. ask.place)
return answer('joined')"""

BUGS = (
    Bug(
        "offers to the last in line",
        lua=wherever_units_come_free(
            "for _, member in ipairs(first_in_line(sku, number)) do",
            "local whole = first_in_line(sku, 1000) for _, member in ipairs({ whole[#whole] }) do",
        ),
    ),
    Bug(
        "offers units later and sells them meanwhile",
        lua=(
            *NO_OFFERS,
            ("hold_stock", "local waited = anyone_waits(line.sku)", "local waited = false"),
        ),
    ),
    Bug(
        "offers one unit twice",
        lua=wherever_units_come_free(
            "local number = math.min(units(AVAILABLE, sku), MOST_OFFERS)",
            "local number = math.min(units(AVAILABLE, sku) * 2, MOST_OFFERS)",
        ),
    ),
    Bug(
        "forgets to pass on what comes free",
        lua=wherever_units_come_free("for sku in pairs(changed) do pass_on(sku) end", ""),
    ),
    Bug(
        "offers to who never confirmed",
        lua=(
            (
                "join_line",
                "return answer('joined')",
                JOINED_AT_ONCE,
            ),
        ),
    ),
    Bug(
        "makes offers that never end",
        lua=wherever_units_come_free("schedule('expire:' .. offer.order, deadline)", ""),
    ),
    Bug(
        "makes offers that nobody is told of",
        lua=wherever_units_come_free("schedule('mail:offer:' .. offer.order, now)", ""),
    ),
    Bug(
        "lets an offer end untold",
        lua=(("release_hold", "schedule('mail:offer-missed:' .. ask.order, now)", ""),),
    ),
)

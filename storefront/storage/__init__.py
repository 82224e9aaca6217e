"""What the shop remembers, in Redis. The only package that imports redis.

Everything of one shop has keys that begin with ``{SHOP_ID}:``, so that one Lua script sees, checks
and changes all that belongs together: there is no moment at which counters, holds, orders, ledger
and due jobs disagree.
"""

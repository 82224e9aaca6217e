"""Mistakes that shops make, put into this one on purpose: the simulator must catch each of them.

Each is a change of the shop's Lua text, or another function in the place of one of its own, for as
long as a test runs. Nothing in the shop knows of them.
"""

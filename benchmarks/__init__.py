"""Measures the shop beside bare programs on the same machine: ``make bench``.

Figures are ratios of two programs that took turns, so that they say the same on any machine.
"""

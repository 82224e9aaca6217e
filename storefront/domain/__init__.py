"""The shop's rules, as plain functions and values.

Nothing here does any input or output, reads a clock or keeps a global; only the standard
library is imported. So every rule can be read, and tested, on its own.
"""

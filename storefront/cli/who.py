"""Who is noted for what a command changes."""

import getpass
import os


def who() -> str:
    """The person at the command line, as the ledger names them."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())  # a container's user may have no name
    return f"command line ({user})"

"""Starts the stand-in: ``python -m storefront.standin --help``."""

from gevent import monkey

monkey.patch_all()  # before anything is imported that waits for the network


def main() -> int:
    """Runs the stand-in until it is told to stop; the exit status."""
    import os
    import sys

    from .options import parse
    from .server import run

    if os.environ.get("SHOP_ENV") == "production":
        print(
            "The Stripe stand-in moves no real money and refuses to run with SHOP_ENV=production.",
            file=sys.stderr,
        )
        return 2
    return run(parse(sys.argv[1:], os.environ))


if __name__ == "__main__":
    raise SystemExit(main())

"""gunicorn's settings, with the shop's modules loaded before it forks.

So a web process that died is replaced within a moment, and hundreds can be killed in a minute.
"""

from tests.harness import ROOT

exec(compile((ROOT / "gunicorn.conf.py").read_text(), "gunicorn.conf.py", "exec"))

import stripe  # noqa: E402, F401 (after gevent's patches)

import storefront.app  # noqa: E402, F401

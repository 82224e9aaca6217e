"""A shop's payment page as small as it can be, on an origin of its own under a strict policy."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlencode, urlsplit

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Payment</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<script src="{standin}/v3/stripe.js" defer></script>
<script src="/host.js" defer></script></head>
<body><main><h1>Payment</h1>
<form id="payment"><div id="element"></div>
<button id="pay" disabled>Pay</button></form>
<p id="status" role="status"></p><p id="error" role="alert"></p>
</main></body></html>"""

SCRIPT = """
"use strict";
const asked = new URLSearchParams(location.search);
const show = (id, text) => { document.getElementById(id).textContent = text; };
window.seen = [];
window.stripe = Stripe(asked.get("key"), { locale: "en" });
window.elements = stripe.elements({
  clientSecret: asked.get("secret"),
  appearance: { theme: asked.get("theme") ?? "stripe" },
  locale: "en",
});
window.payment = elements.create("payment", { layout: "tabs" });
payment.on("ready", () => { document.getElementById("pay").disabled = false; });
payment.on("loaderror", ({ error }) => show("error", error.message));
for (const type of ["loaderstart", "ready", "change", "focus", "blur", "loaderror"]) {
  payment.on(type, (event) => seen.push({ type, ...event }));
}
payment.mount("#element");
document.getElementById("payment").addEventListener("submit", async (event) => {
  event.preventDefault();
  show("error", "");
  show("status", "");
  const submitted = await elements.submit();
  const result = submitted.error ? submitted : await stripe.confirmPayment({
    elements,
    confirmParams: {
      return_url: `${location.origin}/return?order=7`,
      payment_method_data: { billing_details: { email: "ada@example.com" } },
    },
    redirect: asked.get("redirect") ?? "always",
  });
  window.result = result;
  if (result.error) show("error", result.error.message);
  else show("status", `is ${result.paymentIntent.status}`);
});
"""

ARRIVED = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Order</title></head>
<body><main><h1>Order</h1></main></body></html>"""


@dataclass
class Host:
    """The page, and the policy that it is shown under."""

    url: str
    standin: str
    policy: str

    def address(self, **query: str) -> str:
        """The payment page's address, for a client secret and a publishable key."""
        return f"{self.url}/pay?{urlencode({'key': 'pk_test_host', **query})}"


def strict(standin: str) -> str:
    """The policy of a careful shop: scripts, frames and calls of exactly this origin."""
    return (
        f"default-src 'none'; script-src 'self' {standin}; frame-src {standin}; "
        f"connect-src {standin}; img-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    )


@contextmanager
def serve(standin: str) -> Iterator[Host]:
    """The shop on a free loopback port."""
    host = Host("", standin, strict(standin))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            kind, text = {
                "/pay": ("text/html", PAGE.format(standin=host.standin)),
                "/host.js": ("text/javascript", SCRIPT),
                "/return": ("text/html", ARRIVED),
            }.get(path, ("text/plain", ""))
            body = text.encode()
            self.send_response(200)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Security-Policy", host.policy)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    host.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield host
    server.shutdown()
    thread.join()
    server.server_close()

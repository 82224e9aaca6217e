"""The pages for people and the controls for tests: everything that is not the API."""

from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException

from . import bank_page, control, dashboard, element_page, money, pay_page
from .account import Account
from .bound import Bound, bind
from .faults import Faults
from .request_log import RequestLog

HERE = Path(__file__).parent


def create_pages(account: Account, faults: Faults, log: RequestLog) -> Flask:
    """The application with the payment page, the dashboard and the controls."""
    app = Flask(
        "storefront.standin",
        root_path=str(HERE),
        static_folder="static",
        static_url_path="/static",
        template_folder="templates",
    )
    app.config["MAX_CONTENT_LENGTH"] = 256 * 1024
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters["money"] = money.text
    bind(app, Bound(account, faults, log))
    pages = (pay_page.pages, bank_page.pages, element_page.pages, dashboard.pages)
    for blueprint in (*pages, control.controls):
        app.register_blueprint(blueprint)
    app.register_error_handler(HTTPException, problem)
    app.after_request(harden)
    app.add_url_rule("/healthz", "healthz", lambda: {"status": "ok"})
    return app


def problem(error: HTTPException) -> tuple[Response | str, int]:
    """What went wrong: JSON for a control, a page for everything else."""
    status = error.code or 500
    if request.path.startswith("/_standin/"):
        return control.refusal(error.description or error.name), status
    return render_template("problem.html", title=error.name, text=error.description), status


def harden(response: Response) -> Response:
    """No scripts, no frames, nothing inline; forms may go on to the shop that is paid."""
    targets = getattr(response, "form_targets", ())
    origins = " ".join(sorted({origin(url) for url in targets if url}))
    response.headers.setdefault(
        "Content-Security-Policy",
        "default-src 'none'; style-src 'self'; img-src 'self' http: https: data:; base-uri 'none'; "
        f"frame-ancestors 'none'; form-action 'self' {origins}".rstrip(),
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "strict-origin-when-cross-origin"
    if not request.path.startswith("/static/"):
        response.headers["Cache-Control"] = "no-store"
    return response


def origin(url: str) -> str:
    """The origin of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"

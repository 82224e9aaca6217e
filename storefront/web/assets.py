"""Static files: kept by browsers for a year, under addresses that change with their content."""

import hashlib
from functools import cache
from pathlib import Path

from flask import Flask, Response, request, url_for
from markupsafe import Markup

YEAR = 365 * 24 * 3600
HOUR = 3600


def register(app: Flask) -> None:
    """Give templates ``asset(name)`` and ``icon(name)``, and static answers their lifetime."""
    folder = Path(app.static_folder or "")

    @cache
    def version(name: str, modified: int) -> str:
        del modified  # a changed file gets a new version without a restart
        return hashlib.sha256((folder / name).read_bytes()).hexdigest()[:12]

    def current_version(name: str) -> str | None:
        try:
            return version(name, (folder / name).stat().st_mtime_ns)
        except OSError:
            return None

    @cache
    def address(name: str, version: str | None) -> str:
        # Several stand on every page, and building one costs more than looking at its file.
        return url_for("static", filename=name, v=version)

    @app.template_global()
    def asset(name: str) -> str:
        """The address of a static file, with its content's hash."""
        return address(name, current_version(name))

    @app.template_global()
    def icon(name: str) -> Markup:
        """One of the shop's icons; always beside words, so hidden from screen readers."""
        tag = '<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>'
        return Markup(tag).format(asset("icons.svg"), name)  # noqa: S704 - format escapes

    @app.after_request
    def keep(response: Response) -> Response:
        if request.endpoint == "static" and response.status_code in {200, 304}:
            name = (request.view_args or {}).get("filename", "")
            fresh = request.args.get("v") and request.args["v"] == current_version(name)
            lifetime = f"max-age={YEAR}, immutable" if fresh else f"max-age={HOUR}"
            response.headers["Cache-Control"] = f"public, {lifetime}"
        return response

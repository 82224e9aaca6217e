"""The language of each answer: one of the shop's that the browser asks for."""

from collections.abc import Sequence

from flask import Flask, Response, request

from storefront import languages
from storefront.domain.errors import BadInput
from storefront.languages import _
from storefront.settings import Settings


def _accepted(offered: Sequence[str]) -> str:
    """The one of these languages that the browser likes best, in whichever country it is spoken.

    Werkzeug's own ``best_match`` would take German over British English that is liked better.
    """
    wanted = (name.partition("-")[0].lower() for name, liked in request.accept_languages if liked)
    return next((language for language in wanted if language in offered), "")


ALWAYS_ENGLISH = frozenset({"admin", "dev", "health", "webhooks"})
"""Parts that the operator, developers and programs read; so are addresses that end in ``.json``."""


def told(error: BadInput) -> str:
    """What is wrong with what was sent, in the current language. Words that it fills in are, too."""
    values = {n: _(v) if isinstance(v, str) and v else v for n, v in error.values.items()}
    return _(error.text, **values)


def register(app: Flask, settings: Settings) -> None:
    """Choose a language for every request, and let templates speak it."""
    offered = settings.shop_languages
    own = languages.own_language(settings.shop_locale, offered)
    for language in offered:
        languages.catalogue(language)  # one that cannot be read ends the start, and no request
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        languages.gettext, languages.ngettext, newstyle=True
    )
    app.jinja_env.globals["language"] = languages.current

    @app.before_request
    def choose() -> None:
        part = (request.blueprint or "").partition(".")[0]
        english = part in ALWAYS_ENGLISH or request.path.endswith(".json")
        languages.speak(languages.ENGLISH if english else _accepted(offered) or own)

    @app.after_request
    def vary(response: Response) -> Response:
        if response.mimetype == "text/html":
            response.vary.add("Accept-Language")
        return response

    @app.teardown_request
    def stop(_: BaseException | None) -> None:
        languages.speak(languages.ENGLISH)

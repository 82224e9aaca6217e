"""Asks a web address whether anyone answers there."""

import requests

SECONDS = 5


def unanswered(url: str) -> str:
    """Why nobody answers at this address with a page (2xx), or an empty text."""
    try:
        answer = requests.get(url, timeout=SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        return type(error).__name__
    return "" if answer.ok else f"status {answer.status_code}"

"""The shop as a WSGI application: ``wsgi:app``."""

import sys

from storefront import logs
from storefront.app import create_app
from storefront.environment import SettingsError
from storefront.settings import load_settings

try:
    settings = load_settings()
except SettingsError as error:
    sys.exit(str(error))

logs.set_up(settings.log_format)
app = create_app(settings)

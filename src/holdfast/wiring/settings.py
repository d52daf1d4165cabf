"""Django's settings. Every dotted string of Django's stands here.

The module's own names are the keeper's: the database is the keeper's alone, and `holdfast.database.opening` says which
file it is before anything is read. The console has no database; what it needs of the outside is put into its settings
as live objects.
"""

import os
from collections.abc import Sequence
from typing import Any

import django
from django.conf import settings

INSTALLED_APPS = ["holdfast.database"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": ":memory:",
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 10,
            # secure_delete: destroyed wrapped bytes are overwritten, not left on free pages.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;",
        },
    }
}


def prepare_keeper() -> None:
    """Set Django up for the process that owns the database (the keeper, and `init`)."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "holdfast.wiring.settings"
    django.setup()


def console_settings(secret_key: str, hosts: Sequence[str], live: object) -> dict[str, Any]:
    """The console's settings: no database, no sessions yet, one middleware that sets the strict headers."""
    return {
        "SECRET_KEY": secret_key,
        "ALLOWED_HOSTS": list(hosts),
        "DEBUG": False,
        "USE_TZ": True,
        "INSTALLED_APPS": ["holdfast.console"],
        "DATABASES": {"default": {"ENGINE": "django.db.backends.dummy"}},
        "ROOT_URLCONF": "holdfast.console.urls",
        "MIDDLEWARE": ["holdfast.console.headers.StrictHeaders"],
        "TEMPLATES": [
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {"string_if_invalid": ""},
            }
        ],
        "LOGGING_CONFIG": None,
        "HOLDFAST": live,
    }


def prepare_console(secret_key: str, hosts: Sequence[str], live: object) -> None:
    """Set Django up for the console."""
    settings.configure(**console_settings(secret_key, hosts, live))
    django.setup()

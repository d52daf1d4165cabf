"""Django's settings. Every dotted string of Django's stands here.

The database is the keeper's alone: `holdfast.database.opening` says which file it is before anything is read.
"""

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

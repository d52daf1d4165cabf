"""The one database of the installation, opened by the keeper's database thread and nobody else.

Django's settings say how it is opened; `open_database` says where it lies. A connection belongs to the thread that
made it: call everything in this package from the same thread.
"""

import os
from pathlib import Path

from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections

from holdfast.kernel.errors import ConfigurationError


def open_database(path: Path) -> None:
    """Point the default connection at the file and bring its tables up to date. The file is made if it is not there.

    ConfigurationError `database` if it cannot be opened or migrated.
    """
    connections.settings[DEFAULT_DB_ALIAS]["NAME"] = str(path)
    connection = connections[DEFAULT_DB_ALIAS]
    connection.close()
    connection.settings_dict["NAME"] = str(path)
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        call_command("migrate", verbosity=0, interactive=False)
    except (OSError, DatabaseError) as error:
        raise ConfigurationError(
            "database", "the keeper's database cannot be opened or brought up to date", cause=type(error).__name__
        ) from None


def close_database() -> None:
    """Close this thread's connection; SQLite then folds its write-ahead log into the file."""
    connections[DEFAULT_DB_ALIAS].close()


def forget_deleted() -> None:
    """Fold the write-ahead log into the file and cut it, so that destroyed wrapped bytes are in neither.

    With `secure_delete` the file's own copy was overwritten with zeros; the log may still hold the page as it was.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")

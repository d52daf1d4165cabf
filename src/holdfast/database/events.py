"""Events and waiting log entries in the database (access.ports.EventRecords)."""

from collections.abc import Sequence

from holdfast.access.ports import EventHead, EventRecord
from holdfast.database import models
from holdfast.database.keyrecords import ids_of_environments
from holdfast.kernel.names import EnvironmentName


class DatabaseEvents:
    """Adds within the caller's transaction; nothing is ever changed but a log index, once."""

    def head(self, environment: EnvironmentName | None) -> EventHead:
        """The last event of the environment's chain (None: the installation's own chain)."""
        rows = (
            models.Event.objects.filter(environment__name=environment)
            if environment
            else models.Event.objects.filter(environment__isnull=True)
        )
        last = rows.order_by("-number").values_list("number", "commitment").first()
        return EventHead(*last) if last else EventHead(-1, "")

    def enter(self, entry: bytes, event: EventRecord | None) -> None:
        """Keep a log entry, and the event it commits to if there is one, to be appended in this order."""
        row = models.LogEntry.objects.create(entry=entry)
        if event is not None:
            name = event.environment
            models.Event.objects.create(
                number=event.number,
                environment_id=ids_of_environments([name])[name] if name else None,
                previous=event.previous,
                salt=event.salt,
                json=event.json,
                commitment=event.commitment,
                log_entry=row,
            )

    def waiting(self) -> Sequence[tuple[int, bytes]]:
        """Entries not known to be in the log, oldest first: row number and entry."""
        rows = models.LogEntry.objects.filter(index__isnull=True).order_by("id").values_list("id", "entry")
        return [(number, bytes(entry)) for number, entry in rows]

    def logged(self) -> int:
        """How many entries are known to be in the log."""
        last = models.LogEntry.objects.exclude(index__isnull=True).order_by("-index").values_list("index", flat=True)
        index = last.first()
        return 0 if index is None else index + 1

    def mark_logged(self, rows: Sequence[int], first_index: int) -> None:
        """Say that these rows are in the log, at consecutive indexes."""
        for index, row in enumerate(rows, first_index):
            models.LogEntry.objects.filter(id=row).update(index=index)

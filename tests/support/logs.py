"""Logs for tests: a signer that is always the same, entries by number, a log grown in portions."""

from collections.abc import Iterable

from tests.support.stores import NotingStore

from holdfast.formats.notes import signer
from holdfast.vault.integrating import TileLog

SIGNER = signer("logs.example/n1", bytes(range(32)))
VERIFIER = SIGNER.verifier()


def entries(low: int, high: int) -> list[bytes]:
    """The entries of a numbered log."""
    return [b"entry %d" % number for number in range(low, high)]


def grown(portions: Iterable[int], store: NotingStore | None = None) -> tuple[NotingStore, TileLog]:
    """A log whose size went through these values."""
    store = NotingStore() if store is None else store
    log = TileLog(store, SIGNER)
    for size in portions:
        log.append(entries(log.size, size))
    return store, log

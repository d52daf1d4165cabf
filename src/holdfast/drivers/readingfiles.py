"""Journals and stores on a local disk, opened for reading by a process that does not own them."""

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from holdfast.kernel.errors import ConflictError
from holdfast.vault.journalreading import journal_name


class JournalFiles:
    """A node's journal folder. Satisfies vault.readingports.JournalFolder; the folder may not be there yet."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, number: int) -> Path:
        """Where a file lies, or would."""
        return self._folder / journal_name(number)

    def numbers(self) -> Sequence[int]:
        """The files there are, ascending."""
        return sorted(
            int(path.stem)
            for path in self._folder.glob("*.journal")
            if len(path.stem) == 8 and path.stem.isascii() and path.stem.isdigit()
        )

    def open(self, number: int) -> BinaryIO:
        """A file, for reading."""
        try:
            return self.path(number).open("rb")
        except FileNotFoundError:
            raise ConflictError("journal-missing", "a journal file is not there", number=number) from None


class ObjectFiles:
    """A store's folder. Satisfies vault.readingports.ObjectStore. Names come from the keeper's catalogue."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open(self, name: str) -> BinaryIO:
        """An object, for seeking and reading."""
        try:
            return (self._folder / name).open("rb")
        except (FileNotFoundError, NotADirectoryError):
            raise ConflictError("object-missing", "the store does not hold this object", object=name) from None

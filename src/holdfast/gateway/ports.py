"""What the gateway needs beside keeper, journals and stores (vault.readingports)."""

from typing import Protocol

from holdfast.formats.connections import ConnectionRecord
from holdfast.kernel.names import EnvironmentName, NodeName, Stream
from holdfast.vault.readingports import Opening


class RecordSink(Protocol):
    """Where connections are recorded. Never waits."""

    def accepting(self, environment: EnvironmentName | None = None) -> bool:
        """Whether a connection may begin: there is room for its record, and records of its environment get written."""

    def record(self, environment: EnvironmentName | None, record: ConnectionRecord) -> None:
        """Take a record for an environment's `ssh-access`; None, or one that no node knows: `platform/unclaimed`."""


class Prover(Protocol):
    """Makes proofs of lines."""

    def prove(self, opening: Opening, stream: Stream, node: NodeName | None, line: int) -> bytes:
        """The proof of a line (formats, Proof). ConflictError if there is no such line, or it is not logged yet."""


class Poster(Protocol):
    """One node's HTTP intake, for records."""

    def post(self, environment: EnvironmentName, lines: bytes) -> None:
        """Take the lines, once: the same lines posted again after a BusyError are not doubled.

        RefusedError if the node does not take lines of this environment, BusyError if they could not be posted now.
        """

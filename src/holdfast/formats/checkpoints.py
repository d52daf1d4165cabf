"""Checkpoints (c2sp.org/tlog-checkpoint): a signed note that says origin, size and root of a log.

    <origin>
    <size>
    <base64 of the root>

Ours have an origin equal to the key's name, `<installation>/<node>`, and no extension lines: nobody audits those.
Somebody else's may have them, and are read.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.formats.notes import NoteSigner, NoteVerifier, Signature, key_name, open_note, sign_note
from holdfast.formats.spelling import decimal, decode64, encode64
from holdfast.kernel.errors import MalformedError, VerificationError
from holdfast.kernel.names import Installation

ROOT = 32
ORIGIN_LIMIT = 255


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log's tree head: `size` entries under `root` (32 bytes)."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def text(self) -> str:
        """The note text."""
        return "".join(f"{line}\n" for line in (self.origin, self.size, encode64(self.root), *self.extensions))


def origin_name(installation: Installation, node: str) -> str:
    """A log's origin, which is its key's name: `<installation>/<node>` (`keeper` for the keeper's)."""
    origin = key_name(f"{installation}/{node}")
    if len(origin.encode()) > ORIGIN_LIMIT:
        raise MalformedError("origin", "a log's origin is at most 255 bytes", limit=ORIGIN_LIMIT)
    return origin


def parse_checkpoint(text: str) -> Checkpoint:
    """The checkpoint of a note's text (verified before, or not to be believed). MalformedError otherwise."""
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop() or not all(lines):
        raise MalformedError("checkpoint", "a checkpoint has three lines or more and no empty one")
    return Checkpoint(lines[0], decimal(lines[1]), decode64(lines[2], ROOT), tuple(lines[3:]))


def sign_checkpoint(checkpoint: Checkpoint, signer: NoteSigner, cosignatures: Sequence[Signature] = ()) -> bytes:
    """The signed checkpoint of one of our logs. Never to sign two of one size is up to the caller."""
    if checkpoint.extensions or checkpoint.origin != signer.name or len(checkpoint.root) != ROOT:
        raise MalformedError("checkpoint", "our checkpoints have the key's name as origin and no extension lines")
    return sign_note(checkpoint.text(), [signer], cosignatures)


def open_checkpoint(data: bytes, verifier: NoteVerifier, *, extensions: bool = False) -> Checkpoint:
    """The checkpoint that the key signed for the log of its own name.

    MalformedError if it does not read, VerificationError if it is another log's, not signed by the key, or has
    extension lines where they are not wanted.
    """
    checkpoint = parse_checkpoint(open_note(data, [verifier]).text)
    if checkpoint.origin != verifier.name:
        raise VerificationError("checkpoint-origin", "a checkpoint is another log's than its key's")
    if checkpoint.extensions and not extensions:
        raise VerificationError("checkpoint-extensions", "a checkpoint has extension lines, which ours never have")
    return checkpoint

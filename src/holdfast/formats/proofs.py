"""Proofs: C2SP tlog-proofs, and the text file that proves one line (docs/proof-format.md; formats, Proof).

A line proof leads from one line to a signed checkpoint in three steps, bottom up: line → batch → flush → log.

    holdfast-line-proof@v1
    environment acme/main                      ┐
    stream app                                 │
    node n1                                    │ what is proved, for the eye: derived from what follows,
    line 4711                                  │ and refused if it differs by a byte
    ...                                        │
    message GET /healthz                       ┘

    entry <base64 of salt ‖ record>            the line's entry
    index 11                                   its place in the batch
    <base64>                                   path to the batch root, from the sibling upwards
    ...

    batch <canonical JSON of the header>
    salt <base64, 16 bytes>                    the batch entry is salt ‖ header
    index 2                                    its place in the flush
    <base64>                                   path to the flush root
    ...

    flush <canonical JSON of the log entry>

    c2sp.org/tlog-proof@v1                     verbatim, to the end of the file
    ...

There is one spelling of a proof: parsing writes it again and compares. Reading judges form only; `vault.proving` judges
whether the steps hold.
"""

from dataclasses import dataclass

from holdfast.formats.batches import SALT, BatchHeader, parse_header
from holdfast.formats.entries import FlushEntry, parse_entry
from holdfast.formats.notes import NOTE_LIMIT
from holdfast.formats.records import Record, parse_record
from holdfast.formats.spelling import decimal, decode64, encode64
from holdfast.kernel.errors import MalformedError
from holdfast.kernel.instants import rfc3339

TLOG_PROOF = "c2sp.org/tlog-proof@v1"
LINE_PROOF = "holdfast-line-proof@v1"
HASH = 32
PATH_LIMIT = 63
PROOF_LIMIT = 16 << 20
"""Bytes of a whole line proof: a record is at most 1 MiB, and stands in it twice, up to four bytes for one."""
EXTRA_LIMIT = 65_536


@dataclass(frozen=True, slots=True)
class TlogProof:
    """An entry's place in a log, the path to the checkpoint's root, and the checkpoint verbatim.

    `extra` is the specification's opaque data; nothing vouches for it.
    """

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    def encode(self) -> bytes:
        """The text."""
        extra = () if self.extra is None else (f"extra {encode64(self.extra)}",)
        lines = (TLOG_PROOF, *extra, f"index {self.index}", *map(encode64, self.path), "", "")
        return "\n".join(lines).encode() + self.checkpoint


class _Lines:
    """The lines of a text, taken one by one; whatever is not taken is left."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self) -> str:
        end = self._data.find(b"\n", self._at)
        if end < 0:
            raise MalformedError("proof-text", "a proof ends too early")
        line, self._at = self._data[self._at : end], end + 1
        try:
            return line.decode()
        except UnicodeDecodeError:
            raise MalformedError("proof-text", "a proof is UTF-8 text") from None

    def field(self, name: str) -> str:
        line = self.take()
        if not line.startswith(name + " "):
            raise MalformedError("proof-field", "a proof's line is not the expected one", expected=name)
        return line[len(name) + 1 :]

    def expect(self, text: str) -> None:
        if self.take() != text:
            raise MalformedError("proof-field", "a proof's line is not the expected one", expected=text)

    def path(self) -> tuple[bytes, ...]:
        """Hashes up to an empty line, which is taken too."""
        hashes: list[bytes] = []
        while line := self.take():
            if len(hashes) == PATH_LIMIT:
                raise MalformedError("proof-path", "a proof's path is too long", limit=PATH_LIMIT)
            hashes.append(decode64(line, HASH))
        return tuple(hashes)

    def rest(self) -> bytes:
        return self._data[self._at :]


def parse_tlog_proof(data: bytes) -> TlogProof:
    """The proof, its form checked, the checkpoint not looked at. MalformedError otherwise."""
    if len(data) > NOTE_LIMIT + EXTRA_LIMIT:
        raise MalformedError("proof-size", "a tlog-proof is too large", limit=NOTE_LIMIT + EXTRA_LIMIT)
    lines = _Lines(data)
    lines.expect(TLOG_PROOF)
    line = lines.take()
    extra = None
    if line.startswith("extra "):
        extra = decode64(line.removeprefix("extra "))
        line = lines.take()
    if not line.startswith("index "):
        raise MalformedError("proof-field", "a proof's line is not the expected one", expected="index")
    return TlogProof(decimal(line.removeprefix("index ")), lines.path(), lines.rest(), extra)


@dataclass(frozen=True, slots=True)
class LineProof:
    """Everything that leads from one line to a checkpoint. `entry` is salt ‖ record; `batch_salt` and the encoded
    `header` make the batch entry; the encoded `flush` is the log entry that `log` places."""

    entry: bytes
    index: int
    path: tuple[bytes, ...]
    batch_salt: bytes
    header: BatchHeader
    batch_index: int
    batch_path: tuple[bytes, ...]
    flush: FlushEntry
    log: TlogProof

    @property
    def line(self) -> int:
        """The line's number: `first` + index."""
        return self.header.first + self.index

    def record(self) -> Record:
        """The line. MalformedError if the entry holds none."""
        if len(self.entry) < SALT:
            raise MalformedError("proof-entry", "a line's entry is shorter than its salt")
        return parse_record(self.entry[SALT:])

    def encode(self) -> bytes:
        """The file."""
        record = self.record()
        parts = [
            LINE_PROOF,
            f"environment {self.header.environment}",
            f"stream {self.header.stream.value}",
            f"node {self.header.node}",
            f"line {self.line}",
            f"arrival {rfc3339(record.arrival)}",
            f"time {rfc3339(record.time)}",
            f"severity {record.severity}",
            f"host {shown(record.host.encode())}",
            f"program {shown(record.program.encode())}",
            f"procid {shown(record.procid.encode())}",
            f"attributes {shown(record.attributes.encode())}",
            f"message {shown(record.message)}",
            "",
            f"entry {encode64(self.entry)}",
            f"index {self.index}",
            *map(encode64, self.path),
            "",
            f"batch {self.header.encode().decode()}",
            f"salt {encode64(self.batch_salt)}",
            f"index {self.batch_index}",
            *map(encode64, self.batch_path),
            "",
            f"flush {self.flush.encode().decode()}",
            "",
            "",
        ]
        return "\n".join(parts).encode() + self.log.encode()


_HIDDEN = (
    (0x00, 0x1F),
    (0x5C, 0x5C),
    (0x7F, 0xA0),
    (0xAD, 0xAD),
    (0x61C, 0x61C),
    (0x200B, 0x200F),
    (0x2028, 0x202F),
    (0x2060, 0x206F),
    (0xE000, 0xF8FF),
    (0xFEFF, 0xFEFF),
    (0xFFF0, 0xFFFF),
    (0xE0000, 0x10FFFF),
)


def shown(data: bytes) -> str:
    """Bytes as one readable line that cannot play tricks on a terminal, the same for every version of Unicode.

    Text stands as it is; a backslash is doubled; bytes that are not UTF-8, and characters of the ranges of
    docs/proof-format.md (controls, line and paragraph separators, directions, invisible ones, private use), are
    `\\xNN`, byte by byte.
    """
    text = data.decode("utf-8", "surrogateescape")
    if text.isascii() and text.isprintable() and "\\" not in text:
        return text
    return "".join(_shown(char) for char in text)


def _shown(char: str) -> str:
    if char == "\\":
        return "\\\\"
    point = ord(char)
    if 0xDC80 <= point <= 0xDCFF or any(low <= point <= high for low, high in _HIDDEN):
        return "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8", "surrogateescape"))
    return char


def parse_line_proof(data: bytes) -> LineProof:
    """The proof, its form checked and the readable part found to say what the rest does. MalformedError otherwise."""
    if len(data) > PROOF_LIMIT:
        raise MalformedError("proof-size", "a line proof is too large", limit=PROOF_LIMIT)
    lines = _Lines(data)
    lines.expect(LINE_PROOF)
    while lines.take():
        pass  # For the eye; compared below.
    entry, index = decode64(lines.field("entry")), decimal(lines.field("index"))
    path = lines.path()
    header = parse_header(lines.field("batch").encode())
    salt, batch_index = decode64(lines.field("salt"), SALT), decimal(lines.field("index"))
    batch_path = lines.path()
    flush = parse_entry(lines.field("flush").encode())
    lines.expect("")
    if not isinstance(flush, FlushEntry):
        raise MalformedError("proof-flush", "a line proof's log entry is not a flush")
    proof = LineProof(entry, index, path, salt, header, batch_index, batch_path, flush, parse_tlog_proof(lines.rest()))
    if proof.encode() != data:
        raise MalformedError("proof-readable", "a line proof's readable part does not say what its entry does")
    return proof

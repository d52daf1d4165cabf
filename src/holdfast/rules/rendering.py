"""Lines as people read them (design, Reading). Pure; whole tables at a time; the same bytes every time, since SFTP
sizes and offsets are sums of `lengths`.

`web-access` lines and lines taken from files (attributes `{"file":...}`) are shown as they came. Others are

    <time> <host> <program>[<procid>]: <message>

with the time in RFC 3339, UTC, six digits (truncated); a host that is absent is `-`; without a procid there are no
brackets; without a program there is no tag: `<time> <host> <message>`. Every line ends in LF. A message may hold any
byte, an LF too; `visible` is for terminals.
"""

import base64
import re

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from holdfast.kernel.names import Stream

_TIME = len("2026-11-24T06:04:22.000000Z")
_LF, _NOTHING = pa.scalar(b"\n", pa.large_binary()), pa.scalar(b"", pa.large_binary())
_FILE = '{"file":'
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def render(stream: Stream, table: pl.DataFrame) -> pa.LargeBinaryArray:
    """The lines, each with its LF, laid end to end in the array's value buffer. Columns as formats.records.SCHEMA."""
    messages = table["message"].to_arrow().cast(pa.large_binary())
    if stream == Stream.WEB_ACCESS:
        return pc.binary_join_element_wise(messages, _LF, _NOTHING)
    # In one piece: polars 2.1 panics where texts are put together over columns of many, some of them empty.
    whole = table.drop("message").rechunk()
    heads = whole.select(
        pl.when(pl.col("attributes").str.starts_with(_FILE)).then(pl.lit("")).otherwise(_head()).alias("head")
    )["head"]
    return pc.binary_join_element_wise(heads.to_arrow().cast(pa.large_binary()), messages, _LF, _NOTHING)


def lengths(table: pl.DataFrame) -> npt.NDArray[np.int64]:
    """The bytes of each rendered line, LF included. Columns as formats.records.SCHEMA, and `stream`."""
    program, procid = pl.col("program").str.len_bytes(), pl.col("procid").str.len_bytes()
    head = (
        _TIME
        + 2
        + pl.max_horizontal(pl.col("host").str.len_bytes(), 1)
        + pl.when(program > 0).then(program + 2 + pl.when(procid > 0).then(procid + 2).otherwise(0)).otherwise(0)
    )
    bare = (pl.col("stream") == Stream.WEB_ACCESS.value) | pl.col("attributes").str.starts_with(_FILE)
    total = pl.col("message").bin.size() + 1 + pl.when(bare).then(0).otherwise(head)
    return table.select(total.cast(pl.Int64).alias("total"))["total"].to_numpy()


def _head() -> pl.Expr:
    time = pl.col("time").cast(pl.Datetime("ns")).dt.to_string("%Y-%m-%dT%H:%M:%S%.6fZ")
    host = pl.when(pl.col("host") == "").then(pl.lit("-")).otherwise(pl.col("host"))
    bracket = pl.when(pl.col("procid") == "").then(pl.lit("")).otherwise(pl.format("[{}]", "procid"))
    tag = pl.when(pl.col("program") == "").then(pl.lit("")).otherwise(pl.format("{}{}: ", "program", bracket))
    return pl.format("{} {} {}", time, host, tag)


def render_json(table: pl.DataFrame) -> pa.LargeBinaryArray:
    """One JSON object per line, with all fields, each with its LF.

    `arrival` and `time` are RFC 3339 with nanoseconds, `attributes` an object or null; a message that is not UTF-8 has
    U+FFFD in `message` and its exact bytes, base64, in `message_base64`.
    """
    table = table.rechunk()  # as in `render`
    stamps = [
        pl.col(name).cast(pl.Datetime("ns")).dt.to_string("%Y-%m-%dT%H:%M:%S%.9fZ") for name in ("arrival", "time")
    ]
    raw = table["message"]
    encoded: pl.Series | None = None
    try:
        message = raw.cast(pl.String)
    except pl.exceptions.ComputeError:
        pairs = [_exactly(value) for value in raw]
        message = pl.Series([text for text, _ in pairs], dtype=pl.String)
        encoded = pl.Series([exact for _, exact in pairs], dtype=pl.String)
    fields = [
        *stamps,
        pl.col("severity"),
        pl.col("host"),
        pl.col("program"),
        pl.col("procid"),
        pl.lit(message.alias("message")),
    ]
    body = table.select(pl.struct(fields).struct.json_encode().str.head(-1).alias("body"))["body"]
    parts = [
        pl.lit(body),
        pl.lit(',"attributes":'),
        pl.when(pl.col("attributes") == "").then(pl.lit("null")).otherwise(pl.col("attributes")),
    ]
    if encoded is not None:
        parts.append(pl.lit(encoded))
    parts.append(pl.lit("}\n"))
    return table.select(pl.concat_str(parts).alias("json"))["json"].to_arrow().cast(pa.large_binary())


def _exactly(value: bytes) -> tuple[str, str]:
    """A message as text, and the member that has its exact bytes if it is not UTF-8."""
    try:
        return value.decode(), ""
    except UnicodeDecodeError:
        return value.decode("utf-8", "replace"), f',"message_base64":"{base64.b64encode(value).decode()}"'


def visible(data: bytes) -> bytes:
    """The bytes with everything a terminal would act on written as `\\xNN`: control characters (C0, DEL, C1) but tab
    and LF, bytes that are no UTF-8, and the characters that turn text around or break lines unseen (`\\uNNNN`)."""
    text = data.decode("utf-8", "backslashreplace")
    return _UNSAFE.sub(_escape, text).encode()


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"

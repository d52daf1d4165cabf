"""The parsed layout of web access lines, `combined-1` ⇄ messages (formats, Segment). Whole columns at a time.

    <client> <ident> <user> [<local time> <zone>] "<request>" <status> <bytes> "<referrer>" "<agent>"<tail>

The combined log format of nginx and httpd and whatever a site appends to it. Local time is kept as `skew`, the record's
`time` in whole seconds less the line's local time: nearly always one and the same number. A line goes into the columns
if and only if every one of its bytes is rebuilt from them; any other line stays in `message` as it is.
"""

import functools

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from holdfast.formats.records import column_bytes, concatenated, slices, uniform

COMBINED = {
    "client": pa.large_string(),
    "ident": pa.large_string(),
    "user": pa.large_string(),
    "skew": pa.int32(),
    "zone": pa.large_string(),
    "request": pa.large_string(),
    "status": pa.uint16(),
    "bytes": pa.int64(),
    "referrer": pa.large_string(),
    "agent": pa.large_string(),
    "tail": pa.large_string(),
}
"""The columns beside `message`; all null for a line that stays in `message`. `bytes` is null for `-`."""

_Bytes = npt.NDArray[np.uint8]
_Numbers = npt.NDArray[np.int64]
_DAY = 86_400
_STAMP = 20  # dd/Mon/yyyy:hh:mm:ss
_TIME = 30  # ` [dd/Mon/yyyy:hh:mm:ss +zzzz] ` without its last space
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SECOND = 1_000_000_000


def split(messages: pl.Series, times: pl.Series) -> dict[str, pa.Array]:
    """The columns of COMBINED and `message` (large binary, null where split), a value for every row. A text column may
    be a dictionary of itself."""
    data, offsets = column_bytes(messages)
    buffer = np.frombuffer(data, np.uint8)
    starts, ends = offsets[:-1], offsets[1:]
    quotes = np.flatnonzero(buffer == 0x22)
    first = np.searchsorted(quotes, starts)
    rows = np.flatnonzero(np.searchsorted(quotes, ends) - first >= 6)
    # Line by line where its first six quotes are; first the distances between them, then the bytes around them.
    q = quotes[first[rows] + np.arange(6)[:, None]] if len(rows) else np.zeros((6, 0), np.int64)
    keep = (q[0] - starts[rows] >= _TIME + 5) & (q[2] > q[1] + 6) & (q[4] == q[3] + 2)
    if buffer.size and int(buffer.max()) >= 0x80:
        high = np.flatnonzero(buffer >= 0x80)
        keep &= (np.searchsorted(high, starts) == np.searchsorted(high, ends))[rows]
    rows, q = _kept(keep, rows, q)
    if len(rows) == 0:
        return _scattered(messages, rows, {})
    starts, ends = starts[rows], ends[rows]
    before, after = _windows(buffer, q[0] - _TIME, _TIME), _windows(buffer, q[1] + 1, 5)
    keep = (buffer[q[2] - 1] == 0x20) & (buffer[q[3] + 1] == 0x20)
    for window, place, byte in ((before, 0, 0x20), (before, 1, 0x5B), (before, 22, 0x20), (before, 28, 0x5D)):
        keep &= window[:, place] == byte
    for window, place in ((before, 29), (after, 0), (after, 4)):
        keep &= window[:, place] == 0x20
    for closing in (1, 3, 5):
        keep &= buffer[q[closing] - 1] != 0x5C  # a quote escaped with a backslash ends nothing
    digits = after[:, 1:4].astype(np.int64) - 0x30
    seconds, stamp_holds = _parse_stamps(np.ascontiguousarray(before[:, 2:22]))
    skew = times.to_numpy()[rows] // _SECOND - seconds
    spaces = _who_spaces(buffer, starts, q[0] - _TIME)
    keep &= ((digits >= 0) & (digits <= 9)).all(axis=1) & (digits[:, 0] >= 1) & stamp_holds
    keep &= (np.abs(skew) < 2**31) & (spaces[1] >= 0)
    size = pl.Series(slices(data, q[1] + 6, np.maximum(q[2] - 1, q[1] + 6)).cast(pa.large_string()))
    sizes = size.cast(pl.Int64, strict=False)
    keep &= ((sizes.cast(pl.String) == size) | (size == "-")).fill_null(False).to_numpy()
    if not keep.all():
        rows, q, starts, ends, spaces = rows[keep], q[:, keep], starts[keep], ends[keep], spaces[:, keep]
        digits, skew, sizes = digits[keep], skew[keep], sizes.filter(pl.Series(keep))

    def text(begins: _Numbers, stops: _Numbers) -> pa.Array:
        if uniform(buffer, begins, stops, 5):
            return constant(data[begins[0] : stops[0]].decode(), len(begins))
        return slices(data, begins, stops).cast(pa.large_string())

    return _scattered(
        messages,
        rows,
        {
            "client": text(starts, spaces[0]),
            "ident": text(spaces[0] + 1, spaces[1]),
            "user": text(spaces[1] + 1, q[0] - _TIME),
            "skew": pa.array(skew.astype(np.int32)),
            "zone": text(q[0] - 7, q[0] - 2),
            "request": text(q[0] + 1, q[1]),
            "status": pa.array((digits @ np.array([100, 10, 1])).astype(np.uint16)),
            "bytes": sizes.to_arrow(),
            "referrer": text(q[2] + 1, q[3]),
            "agent": text(q[4] + 1, q[5]),
            "tail": text(q[5] + 1, ends),
        },
    )


def constant(value: str, count: int) -> pa.Array:
    """A column that says the same in every row: a dictionary of one."""
    indices = pa.array(np.zeros(count, np.int32))
    return pa.DictionaryArray.from_arrays(indices, pa.array([value], pa.large_string()))


def join(table: pl.DataFrame) -> pl.Series:
    """The messages again, from `time`, `message` and the columns of COMBINED."""
    parsed = table["status"].is_not_null()
    if not parsed.any():
        return table["message"]
    rows = table if parsed.all() else table.filter(parsed)
    local = rows["time"].to_numpy() // _SECOND - rows["skew"].to_numpy()
    size = rows["bytes"].cast(pl.String).fill_null("-")
    parts: list[str | pl.Series] = [rows["client"], " ", rows["ident"], " ", rows["user"], " [", _stamps(local), " "]
    parts += [rows["zone"], '] "', rows["request"], '" ', rows["status"], " ", size, ' "', rows["referrer"], '" "']
    parts += [rows["agent"], '"', rows["tail"]]
    built = concatenated(parts).cast(pl.Binary).rename("message")
    if rows is table:
        return built
    order = pl.Series(np.cumsum(parsed.to_numpy()) - 1)
    return pl.select(pl.when(parsed).then(built.gather(order)).otherwise(table["message"]).alias("message"))["message"]


def _kept(keep: npt.NDArray[np.bool_], rows: _Numbers, q: _Numbers) -> tuple[_Numbers, _Numbers]:
    return (rows, q) if keep.all() else (rows[keep], q[:, keep])


def _windows(buffer: _Bytes, places: _Numbers, width: int) -> _Bytes:
    windows: _Bytes = np.lib.stride_tricks.sliding_window_view(buffer, width)[places]
    return windows


def _who_spaces(buffer: _Bytes, starts: _Numbers, ends: _Numbers) -> _Numbers:
    """Where the two spaces of `client ident user` lie; -1 where there are not exactly two (or, before ` - -`, any)."""
    found = np.stack((ends - 4, ends - 2))
    other = np.flatnonzero(~(_windows(buffer, ends - 4, 4) == np.frombuffer(b" - -", np.uint8)).all(axis=1))
    if len(other):
        starts, lengths = starts[other], (ends - starts)[other]
        bases = np.concatenate((np.zeros(1, np.int64), np.cumsum(lengths)))
        places = np.repeat(starts - bases[:-1], lengths) + np.arange(bases[-1])
        spaces = places[buffer[places] == 0x20]
        first = np.searchsorted(spaces, starts)
        two = np.searchsorted(spaces, starts + lengths) - first == 2
        found[:, other] = -1
        found[:, other[two]] = spaces[first[two] + np.arange(2)[:, None]]
    return found


def _parse_stamps(text: _Bytes) -> tuple[_Numbers, npt.NDArray[np.bool_]]:
    """Local seconds since the epoch of every `dd/Mon/yyyy:hh:mm:ss`, and whether it is written exactly so."""
    new = np.ones(len(text), np.bool_)  # Lines of one second lie together: parse each such stamp once.
    new[1:] = (text[1:] != text[:-1]).any(axis=1)
    if not new.all():
        seconds, holds = _parse_stamps(text[new])
        run = np.cumsum(new) - 1
        return seconds[run], holds[run]
    digits = text.astype(np.int64) - 0x30

    def number(*places: int) -> _Numbers:
        value = np.zeros(len(text), np.int64)
        for place in places:
            value = value * 10 + np.clip(digits[:, place], 0, 9)
        return value

    codes = (text[:, 3].astype(np.int64) << 16) | (text[:, 4].astype(np.int64) << 8) | text[:, 5]
    known = np.array([int.from_bytes(month.encode(), "big") for month in _MONTHS])
    order = np.argsort(known)
    month = order[np.clip(np.searchsorted(known[order], codes), 0, 11)]
    months = ((number(7, 8, 9, 10) - 1970) * 12 + month).astype("datetime64[M]")
    days = months.astype("datetime64[D]").astype(np.int64) + number(0, 1) - 1
    seconds = days * _DAY + number(12, 13) * 3600 + number(15, 16) * 60 + number(18, 19)
    holds = (_stamp_bytes(seconds) == text).all(axis=1)
    return seconds, holds


@functools.cache
def _clock() -> _Bytes:
    """`hh:mm:ss` of every second of a day."""
    second = np.arange(_DAY)
    parts = (second // 36000, second // 3600 % 10, second // 600 % 6, second // 60 % 10, second % 60 // 10, second % 10)
    clock = np.full((_DAY, 8), 0x3A, np.uint8)
    for place, part in zip((0, 1, 3, 4, 6, 7), parts, strict=True):
        clock[:, place] = part + 0x30
    return clock


def _stamp_bytes(seconds: _Numbers) -> _Bytes:
    """`dd/Mon/yyyy:hh:mm:ss` of every local second since the epoch, years 0 to 9999."""
    days, second = np.divmod(seconds, _DAY)
    steps = np.flatnonzero(np.diff(days, prepend=days[:1] - 1))
    names = np.empty((len(steps), 12), np.uint8)
    seen: dict[int, bytes] = {}
    for i, day in enumerate(days[steps].tolist()):
        if day not in seen:
            year, month, date = str(np.datetime64(day, "D")).rsplit("-", 2)
            seen[day] = f"{date}/{_MONTHS[int(month) - 1]}/{year[-4:]}:".encode()
        names[i] = np.frombuffer(seen[day], np.uint8)
    stamps = np.empty((len(seconds), _STAMP), np.uint8)
    stamps[:, :12] = np.repeat(names, np.diff(steps, append=len(seconds)), axis=0)
    stamps[:, 12:] = _clock()[second]
    return stamps


def _stamps(seconds: _Numbers) -> pl.Series:
    offsets = pa.py_buffer(np.arange(len(seconds) + 1, dtype=np.int64) * _STAMP)
    data = pa.py_buffer(_stamp_bytes(seconds).tobytes())
    return pl.Series("stamp", pa.LargeStringArray.from_buffers(len(seconds), offsets, data))


def _scattered(messages: pl.Series, rows: _Numbers, columns: dict[str, pa.Array]) -> dict[str, pa.Array]:
    """The columns of some rows set among nulls, and the messages of the others."""
    count = len(messages)
    if len(rows) == count > 0:
        return {**columns, "message": pa.nulls(count, pa.large_binary())}
    rest = messages.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(pa.large_binary())
    if len(rows) == 0:
        return {**{name: pa.nulls(count, kind) for name, kind in COMBINED.items()}, "message": rest}
    there = np.zeros(count, np.bool_)
    there[rows] = True
    places = pa.array(np.cumsum(there) - 1, mask=~there)
    scattered = {name: column.take(places) for name, column in columns.items()}
    return {**scattered, "message": rest.filter(pa.array(~there)).take(pa.array(np.cumsum(~there) - 1, mask=there))}

"""Segments: what is sealed reads back, and nothing else opens."""

import io

import polars as pl
import pytest

from holdfast.formats import layouts, records, segments
from holdfast.formats.batches import BatchHeader
from holdfast.formats.batchlists import SealedBatch, pack, unpack
from holdfast.formats.segments import SegmentReader, SegmentWriter
from holdfast.kernel.errors import MalformedError, VerificationError
from holdfast.kernel.names import EnvironmentName, Installation, NodeName, Stream
from holdfast.kernel.secrets import Secret

KEY = Secret(bytes(range(32)))
HOME = Installation("logs.example.net")
NAME = "segments/acme/main/web-access/2026/11/20/n1-100.0.parquet"
NOON = 1_795_176_000_000_000_000
COMBINED = b'192.0.2.%d - bo [20/Nov/2026:11:%02d:00 +0100] "GET /%d HTTP/1.1" 200 %d "-" "curl/8"'


def batch(first: int, count: int, previous: bytes = b"") -> SealedBatch:
    header = BatchHeader(
        EnvironmentName("acme/main"),
        Stream.WEB_ACCESS,
        NodeName("n1"),
        first,
        count,
        bytes([first % 256] * 32),
        previous,
    )
    return SealedBatch(header, bytes([1] * 16), bytes([2] * 32), 10 * count, 12 * count)


def table_of(messages: list[bytes]) -> pl.DataFrame:
    count = len(messages)
    return pl.DataFrame(
        {
            "arrival": [NOON] * count,
            "time": [NOON + i * 1_000_000_007 for i in range(count)],
            "severity": [6] * count,
            "host": ["wéb"] * count,
            "program": ["nginx"] * count,
            "procid": [""] * count,
            "attributes": ['{"file":"a.log"}'] * count,
            "message": messages,
        },
        schema=records.SCHEMA,
    )


def sealed(messages: list[bytes], layout: str = "", first: int = 100, name: str = NAME) -> tuple[bytes, pl.DataFrame]:
    table, sink = table_of(messages), io.BytesIO()
    writer = SegmentWriter(sink, KEY, HOME, name, layout)
    batches: list[SealedBatch] = []
    for i in range(0, len(messages), 7):
        part = table.slice(i, 7)
        writer.add(first + i, part)
        batches.append(batch(first + i, part.height, batches[-1].leaf() if batches else b"\x09" * 32))
    writer.close(batches)
    return sink.getvalue(), table


MIXED = [COMBINED % (i, i % 60, i, i) for i in range(40)] + [b"", b"\xff\x00\x1f", b'"' * 9, b"plain words"]


@pytest.mark.parametrize("layout", [segments.TEXT, segments.COMBINED])
@pytest.mark.parametrize("messages", [MIXED, MIXED[:40], MIXED[40:]], ids=["mixed", "combined", "text"])
def test_every_layout_gives_back_the_very_records(layout: str, messages: list[bytes]) -> None:
    data, table = sealed(messages, layout)
    reader = SegmentReader(io.BytesIO(data), KEY, HOME, NAME)
    assert reader.layout == layout
    assert pl.concat(list(reader.tables())).equals(table)
    assert reader.table(103, 5).equals(table.slice(3, 5))
    assert reader.table(102, 2, ["line", "message"]).to_dict(as_series=False) == {
        "line": [102, 103],
        "message": messages[2:4],
    }
    assert reader.table(0, 100).height == 0


def test_row_groups_are_cut_and_read_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "GROUP_LINES", 16)
    data, table = sealed(MIXED * 2)
    reader = SegmentReader(io.BytesIO(data), KEY, HOME, NAME)
    assert all(group.count <= 16 for group in reader.row_groups)
    assert reader.row_groups[1].first == 100 + reader.row_groups[0].count
    assert reader.table(110, 30).equals(table.slice(10, 30))


def test_batches_come_back_with_their_cumulative_lengths() -> None:
    reader = SegmentReader(io.BytesIO(sealed(MIXED)[0]), KEY, HOME, NAME)
    assert reader.batches[0].header.previous == b"\x09" * 32
    assert reader.batches[1].header.previous == reader.batches[0].leaf()
    assert reader.batches.text_ends.tolist()[:2] == [70, 140]
    assert reader.batches.clear_ends.tolist()[-1] == 12 * len(MIXED)
    assert reader.batches.holding(107) == 1
    with pytest.raises(MalformedError, match="line-number"):
        reader.batches.holding(100 + len(MIXED))


def test_many_lines_in_columns_take_less_than_half() -> None:
    lines = [COMBINED % (i % 200, i % 60, i, i * 7919 % 10007) for i in range(20_000)]
    assert len(sealed(lines)[0]) * 2 < len(sealed(lines, segments.TEXT)[0]) * 3  # and text-1 is compressed too
    assert SegmentReader(io.BytesIO(sealed(lines)[0]), KEY, HOME, NAME).layout == segments.COMBINED


@pytest.mark.parametrize(
    ("key", "home", "name"),
    [
        (Secret(bytes(32)), HOME, NAME),
        (KEY, Installation("elsewhere.example.net"), NAME),
        (KEY, HOME, NAME.replace("n1-100", "n1-101")),
    ],
)
def test_a_segment_opens_with_its_own_key_under_its_own_name_only(key: Secret, home: Installation, name: str) -> None:
    with pytest.raises(VerificationError) as caught:
        SegmentReader(io.BytesIO(sealed(MIXED)[0]), key, home, name)
    assert caught.value.fields["object"] == name


@pytest.mark.parametrize("layout", [segments.TEXT, segments.COMBINED])
def test_any_flipped_byte_is_found(layout: str) -> None:
    data, _ = sealed(MIXED, layout)
    for at in range(0, len(data), 11 if layout == segments.TEXT else 17):
        changed = bytearray(data)
        changed[at] ^= 0x10
        with pytest.raises(VerificationError, match="segment-damaged"):
            list(SegmentReader(io.BytesIO(bytes(changed)), KEY, HOME, NAME).tables())


@pytest.mark.parametrize("size", [0, 3, 4, 8, 100, -1, -40])
def test_a_file_cut_short_is_damage(size: int) -> None:
    with pytest.raises(VerificationError, match="segment-damaged"):
        list(SegmentReader(io.BytesIO(sealed(MIXED)[0][:size]), KEY, HOME, NAME).tables())


def test_a_file_that_was_never_encrypted_is_refused() -> None:
    sink = io.BytesIO()
    table_of(MIXED).write_parquet(sink)
    with pytest.raises(VerificationError, match="segment-damaged"):
        SegmentReader(sink, KEY, HOME, NAME)


def test_lines_with_a_gap_are_not_sealed() -> None:
    writer = SegmentWriter(io.BytesIO(), KEY, HOME, NAME)
    writer.add(0, table_of([b"x"]))
    with pytest.raises(MalformedError, match="segment-gap"):
        writer.add(2, table_of([b"x"]))
    with pytest.raises(MalformedError, match="segment-batches"):
        writer.close([batch(0, 2)])


def test_a_batch_list_that_does_not_add_up_is_malformed() -> None:
    place = (EnvironmentName("acme/main"), Stream.APP, NodeName("n1"))
    value = pack([batch(0, 3), batch(3, 1)]).encode()
    assert len(unpack(value, *place)) == 2
    for broken in (b"", b"AAAA", value[:-8], value + b"AAAA", b"*" + value[1:]):
        with pytest.raises(MalformedError, match="batch-list"):
            unpack(broken, *place)
    with pytest.raises(MalformedError, match="batch-gap"):
        pack([batch(0, 3), batch(4, 1)])


def test_a_line_is_split_only_if_it_rebuilds() -> None:
    kept = [
        b'a - - [31/Feb/2026:00:00:00 +0000] "GET /" 200 5 "-" "x"',
        b'a - - [20/Nov/2026:24:00:00 +0000] "GET /" 200 5 "-" "x"',
        b'a - - [20/nov/2026:00:00:00 +0000] "GET /" 200 5 "-" "x"',
        b'a - - [20/Nov/2026:00:00:00 +0000] "GET /" 200 05 "-" "x"',
        b'a - - [20/Nov/2026:00:00:00 +0000] "GET /" 20 5 "-" "x"',
        b'a - - [20/Nov/2026:00:00:00 +0000] "GET /\xc3\xa9" 200 5 "-" "x"',
        b'a - - [20/Nov/2026:00:00:00 +0000] "GET /" 200 99999999999999999999 "-" "x"',
        b'a - - [20/Nov/2026:00:00:00 +0000] "GET \\" 200 5 "-" "x"',
    ]
    parsed = [
        b'a - - [20/Nov/2026:00:00:00 +0000] "GET /" 200 - "-" "x"',
        b'a b c [01/Jan/1970:00:00:00 -0330] "" 999 0 "" "" "forwarded" 0.003',
    ]
    messages = pl.Series("message", kept + parsed, dtype=pl.Binary)
    times = pl.Series("time", [NOON] * len(messages), dtype=pl.Int64)
    table = pl.DataFrame({**layouts.split(messages, times), "time": times})
    assert table["message"].to_list() == [*kept, None, None]
    assert table["tail"].to_list()[-1] == ' "forwarded" 0.003'
    assert layouts.join(table).to_list() == kept + parsed

"""Raw lines become records: who, when, what; what is not understood stays in the message."""

import json
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from holdfast.formats import canonical
from holdfast.formats.lines import Lines, split
from holdfast.formats.records import SCHEMA
from holdfast.formats.syslog.parsing import file_lines, parse

NOW = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()) * 10**9


def one(line: bytes, arrival: int = NOW) -> dict[str, Any]:
    table = parse(Lines(line, np.array([0]), np.array([len(line)])), arrival)
    assert table.schema == SCHEMA
    return table.row(0, named=True)


def nanoseconds(text: str) -> int:
    seconds, _, fraction = text.partition(".")
    at = datetime.fromisoformat(seconds).replace(tzinfo=UTC)
    return int(at.timestamp()) * 10**9 + int(fraction.ljust(9, "0") if fraction else 0)


def sender(row: dict[str, Any]) -> tuple[str, str, str, bytes]:
    return row["host"], row["program"], row["procid"], row["message"]


def test_a_modern_line_has_all_its_fields() -> None:
    row = one(b'<134>1 2026-11-20T00:00:05.268412Z t8.example app 59924 CRON [a@1 id="c\\"\\]"][b] \xef\xbb\xbfhi  w')
    assert sender(row) == ("t8.example", "app", "59924", b"\xef\xbb\xbfhi  w")
    assert (row["time"], row["arrival"], row["severity"]) == (nanoseconds("2026-11-20T00:00:05.268412"), NOW, 6)
    assert row["attributes"] == '{"facility":"16","msgid":"CRON","sd":"[a@1 id=\\"c\\\\\\"\\\\]\\"][b]"}'


def test_nil_values_are_absent() -> None:
    row = one(b"<0>1 - - - - - -")
    assert sender(row) == ("", "", "", b"")
    assert (row["time"], row["severity"], row["attributes"]) == (NOW, 0, '{"facility":"0"}')


@pytest.mark.parametrize(
    ("stamp", "time"),
    [
        ("2026-02-28T23:59:59Z", "2026-02-28T23:59:59"),
        ("2024-02-29T23:59:59.123456789+02:00", "2024-02-29T21:59:59.123456789"),
        ("2026-01-01T00:00:00.5-05:30", "2026-01-01T05:30:00.5"),
        ("2026-12-31T23:59:60Z", "2027-01-01T00:00:00"),
    ],
)
def test_times_with_zones_and_fractions_are_utc_nanoseconds(stamp: str, time: str) -> None:
    assert one(f"<13>1 {stamp} h p - - - m".encode())["time"] == nanoseconds(time)


@pytest.mark.parametrize(
    "stamp",
    [
        "2026-02-29T00:00:00Z",
        "2026-1-1T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00:00.Z",
    ],
)
def test_a_time_that_is_none_is_kept_as_text(stamp: str) -> None:
    row = one(f"<13>1 {stamp} h p - - - m".encode())
    assert (row["time"], json.loads(row["attributes"])["timestamp"]) == (NOW, stamp)
    assert sender(row) == ("h", "p", "", b"m")


def test_structured_data_that_is_malformed_is_part_of_the_message() -> None:
    assert sender(one(b"<13>1 - h p - - [broken m")) == ("h", "p", "", b"[broken m")
    assert one(b'<13>1 - h p - - [a b="\x01"] m')["message"] == b'[a b="\x01"] m'


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"<38>Nov  3 09:23:38 veridian sshd[7998]: hi", ("veridian", "sshd", "7998", b"hi")),
        (b"<38>Nov 3 09:23:38 veridian sshd[7998]:hi", ("veridian", "sshd", "7998", b"hi")),
        (b"<38>Nov 03 09:23:38.123 veridian sudo: a : b", ("veridian", "sudo", "", b"a : b")),
        (b"Nov  3 09:23:38 veridian postfix/smtpd[1]: x", ("veridian", "postfix/smtpd", "1", b"x")),
        (b"<13>Nov  3 09:23:38 logger[12]: local", ("", "logger", "12", b"local")),
        (b"<13>Nov  3 09:23:38 kernel: [ 1.2] x", ("", "kernel", "", b"[ 1.2] x")),
        (b"<13>Nov  3 09:23:38 host kernel:[ 1.2] x", ("host", "kernel", "", b"[ 1.2] x")),
        (b"<13>Nov  3 09:23:38 2001:db8::1 cron[1]: x", ("2001:db8::1", "cron", "1", b"x")),
        (b"<13>Nov  3 09:23:38 host last message repeated 2 times", ("host", "", "", b"last message repeated 2 times")),
        (b"<189>Nov  3 2026 09:23:38: %ASA-6-302013: Built", ("", "%ASA-6-302013", "", b"Built")),
        (b"<86>2026-11-03T09:23:38+02:00 sub sshd-session[742]: x", ("sub", "sshd-session", "742", b"x")),
        (b"2023-07-18T10:22:17+02:00 subuina jellyfin[742]: [10]", ("subuina", "jellyfin", "742", b"[10]")),
        (b"<86>sshd[12]: Failed", ("", "sshd", "12", b"Failed")),
        (b"sshd[12]: Failed", ("", "sshd", "12", b"Failed")),
        (b"Header1: abc", ("", "", "", b"Header1: abc")),
        (b"<13>what is this", ("", "", "", b"what is this")),
        (b"<13>", ("", "", "", b"")),
        (b"<>x", ("", "", "", b"<>x")),
        (b"Nov 33 09:23:38 h t: m", ("", "", "", b"Nov 33 09:23:38 h t: m")),
        (b"<13>1 2026-11-20T00:00:00Z h p -", ("", "", "", b"1 2026-11-20T00:00:00Z h p -")),
    ],
)
def test_the_shapes_of_old_syslog_give_their_sender(line: bytes, expected: tuple[str, str, str, bytes]) -> None:
    assert sender(one(line)) == expected


@pytest.mark.parametrize(
    ("stamp", "arrival", "time"),
    [
        ("Dec 31 23:59:59", "2027-01-01T00:00:10", "2026-12-31T23:59:59"),
        ("Jan  1 00:00:01", "2026-12-31T23:59:50", "2027-01-01T00:00:01"),
        ("Feb 29 12:00:00", "2026-03-01T00:00:00", "2024-02-29T12:00:00"),
        ("Nov  3 2019 09:23:38", "2026-03-01T00:00:00", "2019-11-03T09:23:38"),
    ],
)
def test_the_year_is_the_one_nearest_to_the_arrival(stamp: str, arrival: str, time: str) -> None:
    assert one(f"<13>{stamp} h t: m".encode(), nanoseconds(arrival))["time"] == nanoseconds(time)


def test_a_line_without_a_priority_is_a_notice_and_a_wrong_one_is_kept() -> None:
    assert (one(b"Nov  3 09:23:38 h t: m")["severity"], one(b"Nov  3 09:23:38 h t: m")["attributes"]) == (5, "")
    for pri in ("999", "192", "007"):
        row = one(f"<{pri}>1 - h p - - - m".encode())
        assert (sender(row), row["severity"], row["attributes"]) == (("h", "p", "", b"m"), 5, f'{{"pri":"{pri}"}}')


def test_fields_are_clean_text_and_messages_any_bytes() -> None:
    row = one(b'<13>1 - h\xff\x1fx p\x1f - i\x01\xff [a b="\xff"] \xff\x1f\x00')
    assert sender(row) == ("h� x", "p ", "", b"\xff\x1f\x00")
    assert canonical.load(row["attributes"].encode()) == {"facility": "1", "msgid": "i\x01�", "sd": '[a b="�"]'}


def test_a_mixed_batch_keeps_its_order() -> None:
    lines = split(b"<13>1 - h p - - - one\nNov  3 09:23:38 h t: two\n<13>1 - h p - - [x] three\nfour\n")
    assert parse(lines, np.arange(4)).select("arrival", "message").rows() == [
        (0, b"one"),
        (1, b"two"),
        (2, b"three"),
        (3, b"four"),
    ]


def test_no_lines_are_an_empty_table() -> None:
    assert parse(split(b""), NOW).schema == SCHEMA
    assert file_lines(split(b""), NOW, "a.log").schema == SCHEMA


def test_lines_of_a_file_stay_as_they_are() -> None:
    table = file_lines(split(b"one\n\xff two"), NOW, 'a"b.log')
    assert table["message"].to_list() == [b"one", b"\xff two"]
    assert table["attributes"].to_list() == ['{"file":"a\\"b.log"}'] * 2
    assert table.row(0)[:6] == (NOW, NOW, 6, "", "", "")

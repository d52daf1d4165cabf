"""What is an address and what only looks like one."""

import ipaddress

import numpy as np
import pytest

from holdfast.rules.addresses import recognise

AGENT = b'192.0.2.1 - - [20/Nov/2026:00:00:00 +0000] "GET /1.2.3.4 HTTP/1.1" 200 66 "http://a/1.1.1.1" "M/5.0 %s"'


def found(*rows: bytes) -> list[str]:
    buffer = b"".join(rows)
    spans = recognise(buffer, np.cumsum([0] + [len(row) for row in rows]))
    return [buffer[start:end].decode() for start, end in zip(spans.starts, spans.ends, strict=True)]


@pytest.mark.parametrize(
    "line",
    [
        b"1.2.3.4", b"1.2.3.4:80", b"http://1.2.3.4/", b"host/1.2.3.4", b"[1.2.3.4]", b"rhost=1.2.3.4", b"to 1.2.3.4.",
        b"to 1.2.3.4. Next", b"(1.2.3.4)", b"1.2.3.4-x", b"src:1.2.3.4", b"::ffff:1.2.3.4", b"x:1.2.3.4", b"1.2.3.4,",
        "für1.2.3.4".encode().replace(b"r", b""), b"1.2.3.4..",
    ],
)  # fmt: skip
def test_dotted_quads_in_free_text_are_found(line: bytes) -> None:
    assert found(line) == ["1.2.3.4"]


@pytest.mark.parametrize(
    "line",
    [
        b"1.2.3.4.5", b"v1.2.3.4", b"x1.2.3.4", b"1.2.3.04", b"1.2.3.256", b"1.2.3.4.example.com", b"1.2x3.4.5",
        b"_1.2.3.4", b"1.2.3", b"1..2.3.4", b".1.2.3.4", b"1.2.3.4_", b"1111.2.3.4", b"3864.5262.8414.7942",
    ],
)  # fmt: skip
def test_versions_and_longer_numbers_are_left_alone(line: bytes) -> None:
    assert found(line) == []


@pytest.mark.parametrize(
    ("line", "address"),
    [
        (b"2001:db8::1", "2001:db8::1"),
        (b"[2001:db8::1]:443", "2001:db8::1"),
        (b"fe80::1%eth0", "fe80::1"),
        (b"::1", "::1"),
        (b"src:2001:DB8::1", "2001:DB8::1"),
        (b"from 2001:db8::1: hi", "2001:db8::1"),
        (b"from 2001:db8::1.", "2001:db8::1"),
        (b"64:ff9b::1.2.3.4", "64:ff9b::1.2.3.4"),
        (b"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
        (b"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7::"),
        (b"::2:3:4:5:6:7:8", "::2:3:4:5:6:7:8"),
        (b"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:1.2.3.4"),
        (b"dead:beef::/32", "dead:beef::"),
        (b"fe80::1:eth0", "fe80::1"),
        (b":::1", "::1"),
    ],
)
def test_ipv6_addresses_are_found_with_their_value(line: bytes, address: str) -> None:
    assert found(line) == [address]
    spans = recognise(line, np.array([0, len(line)]))
    assert spans.addresses.tobytes() == ipaddress.IPv6Address(address).packed


@pytest.mark.parametrize(
    "line",
    [
        b"::", b"listening on :: port 22", b"10:23:45", b"2026:00:00:02", b"52:54:00:f2:37:c7", b"Foo::Bar",
        b"std::vector", b"a::b::c", b"12345::1", b"1:2:3:4:5:6:7", b"1:2:3:4:5:6:7:8:9", b"1:2:3:4:5:6:7:8::", b":::",
        b"a:::b", b"g::1g", b"MAC=52:54:00:f2:37:c7:aa:bb:cc:dd:ee:ff:08:00", b"1::2.3",
    ],
)  # fmt: skip
def test_times_hardware_addresses_and_names_are_no_ipv6(line: bytes) -> None:
    assert found(line) == []


def test_a_products_version_in_a_user_agent_stays_and_everything_else_goes() -> None:
    line = AGENT % b"Chrome/107.0.0.0 (via 9.9.9.9) ::a/8.8.8.8"
    assert found(line) == ["192.0.2.1", "1.2.3.4", "1.1.1.1", "9.9.9.9", "::a", "8.8.8.8"]
    assert found(b"agent Chrome/107.0.0.0") == ["107.0.0.0"]


def test_rows_do_not_touch_each_other() -> None:
    assert found(b"", b"1.2.3.", b"4", b"5.6.7.8", b"9", b"", b"::1", b"2001:db8:", b":1") == ["5.6.7.8", "::1"]
    assert found() == []


def test_the_longest_texts_are_read_whole() -> None:
    text = b"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255"
    assert recognise(text, np.array([0, len(text)])).addresses.tobytes() == b"\xff" * 16

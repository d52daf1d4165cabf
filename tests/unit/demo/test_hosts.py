"""The demo's hosts say what their programs said, in both dialects, now."""

from datetime import UTC, datetime

import pytest

from holdfast.demo.hosts import Speaking, hosts
from holdfast.demo.register import PEOPLE, register_text
from holdfast.demo.retiming import retimed
from holdfast.demo.spelling import Dialect, framed, spelled
from holdfast.formats.syslog.framing import Framer
from holdfast.formats.syslog.parsing import parse
from holdfast.rules.streams import streams

NOW = datetime(2026, 11, 24, 6, 4, 22, 123456, UTC)
ARRIVAL = int(NOW.timestamp()) * 1_000_000_000


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize("counted", [True, False])
def test_whatever_a_host_says_is_understood(dialect: Dialect, counted: bool) -> None:
    for host in hosts():
        said = Speaking(host).burst()
        framer = Framer()
        framer.receive(b"".join(framed(spelled(one, host.name, dialect, NOW), counted=counted) for one in said))
        lines = framer.close()
        assert lines is not None
        table = parse(lines, ARRIVAL)
        assert set(table["host"]) == {host.name}
        assert list(table["program"]) == [one.program for one in said]
        assert {int(time) // 1_000_000_000 for time in table["time"]} == {ARRIVAL // 1_000_000_000}
        sshd = streams(table).filter(table["program"].str.starts_with("sshd"))
        assert set(sshd["stream"]) <= {"ssh-access"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('1.2.3.4 - - [17/May/2015:10:05:03 +0200] "GET /"', '1.2.3.4 - - [24/Nov/2026:06:04:22 +0000] "GET /"'),
        ("2021/12/02 11:53:15 [error] 1#1: x", "2026/11/24 06:04:22 [error] 1#1: x"),
        ("[2023-05-15 18:19:32] local.ERROR: x", "[2026-11-24 06:04:22] local.ERROR: x"),
        ("2025-08-13 01:45:01.123 PDT [1] LOG:  x", "2026-11-24 06:04:22.123 UTC [1] LOG:  x"),
        (
            "[pid: 1] 127.0.0.1 () [Sun Mar 13 22:49:12 2016] GET",
            "[pid: 1] 127.0.0.1 () [Tue Nov 24 06:04:22 2026] GET",
        ),
        ("#0 {main}", "#0 {main}"),
    ],
)
def test_a_line_speaks_of_now_and_stays_otherwise_as_it_was(line: str, said: str) -> None:
    assert retimed(line, NOW) == said


def test_a_host_says_as_much_as_it_owes() -> None:
    speaking = Speaking(hosts()[0])
    said = sum(len(speaking.passed(0.25)) for _ in range(400))
    assert said == pytest.approx(100 * sum(source.per_second for source in hosts()[0].sources), abs=4)


def test_the_register_names_everybody() -> None:
    assert all(f"[people.{person}]" in register_text(dict.fromkeys(PEOPLE, "KEY")) for person in PEOPLE)

"""Syslog connections within bounds: unfinished frames cut, silent connections making room."""

from collections.abc import Callable
from typing import Any

import pytest

from holdfast.intake import listening
from holdfast.intake.listening import SyslogListener
from holdfast.intake.preparing import SyslogBlock
from holdfast.kernel.instants import Instant


class FakePipeline:
    """Keeps what it is given."""

    on_pressure: Callable[[bool], None]

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def arrival(self) -> Instant:
        return Instant(1)

    def put(self, block: SyslogBlock) -> None:
        self.lines += block.lines.tolist()


class FakeTransport:
    """Says whether it was closed, and whether it reads."""

    def __init__(self) -> None:
        self.closed, self.reading = False, True

    def get_extra_info(self, name: str) -> None:
        return None

    def abort(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


class Listening:
    """A listener and its connections, without sockets."""

    def __init__(self, most: int) -> None:
        self.pipeline = FakePipeline()
        self.listener = SyslogListener(self.pipeline, 65_536, most)  # type: ignore[arg-type]

    def connect(self) -> tuple[Any, FakeTransport]:
        connection = listening._Connection(self.listener, self.pipeline, 65_536)  # type: ignore[arg-type]
        transport = FakeTransport()
        connection.connection_made(transport)  # type: ignore[arg-type]
        return connection, transport

    def say(self, connection: Any, data: bytes) -> None:
        self.listener.buffer[: len(data)] = data
        connection.buffer_updated(len(data))


def test_unfinished_frames_of_all_connections_together_are_bounded_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "UNFINISHED", 1000)
    here = Listening(10)
    connections = [here.connect()[0] for _ in range(3)]
    for connection in connections:
        here.say(connection, b"<13>" + b"x" * 396)
    assert here.pipeline.lines == [b"<13>" + b"x" * 396]
    assert here.listener.unfinished == 800
    here.say(connections[0], b"end\n")
    for connection in connections:
        connection.connection_lost(None)
    assert here.listener.unfinished == 0
    assert b"".join(here.pipeline.lines) == b"<13>" + b"x" * 396 + b"<13>" + b"x" * 396 + b"end" + b"<13>" + b"x" * 396


def test_one_too_many_takes_the_place_of_the_oldest_that_never_spoke() -> None:
    here = Listening(2)
    (first, first_transport), (_, second_transport) = here.connect(), here.connect()
    here.say(first, b"<13>a line\n")
    _, third_transport = here.connect()
    assert (first_transport.closed, second_transport.closed, third_transport.closed) == (False, True, False)


def test_one_too_many_is_refused_where_all_have_spoken() -> None:
    here = Listening(1)
    first, _ = here.connect()
    here.say(first, b"<13>a line\n")
    _, transport = here.connect()
    assert transport.closed
    first.connection_lost(None)
    assert not here.connect()[1].closed


def test_under_pressure_nobody_is_read_not_even_who_comes_then() -> None:
    here = Listening(10)
    _, early = here.connect()
    here.pipeline.on_pressure(True)
    _, late = here.connect()
    assert (early.reading, late.reading) == (False, False)
    here.pipeline.on_pressure(False)
    assert (early.reading, late.reading) == (True, True)

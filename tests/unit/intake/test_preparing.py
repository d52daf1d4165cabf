"""From blocks of both kinds to one table."""

import numpy as np
import pytest

from holdfast.formats.lines import Lines
from holdfast.intake.places import Places
from holdfast.intake.preparing import FileBlock, Preparer, SyslogBlock
from holdfast.kernel.instants import Instant, day_of
from holdfast.kernel.names import EnvironmentName, Stream

NOW = Instant(1_795_500_000_000_000_000)
MAIN = EnvironmentName("acme/main")


@pytest.mark.parametrize("stream", [Stream.APP, Stream.SYSTEM, Stream.WEB_ACCESS, Stream.SSH_ACCESS])
def test_lines_of_files_and_of_syslog_share_a_flush(stream: Stream) -> None:
    syslog = SyslogBlock(_line(b"<13>Nov 24 06:00:00 web1 cron[7]: run"), NOW)
    file = FileBlock(_line(b"a line"), NOW, MAIN, stream, "a.log")
    preparer = Preparer(lambda environments, _: {environment: bytes(32) for environment in environments})
    places = Places(frozenset({MAIN}), {"web1": MAIN})
    table = preparer.prepare([file, syslog], places, day_of(NOW)).table
    found = set(table.select("environment", "stream", "message").rows())
    assert found == {(MAIN, "system", b"run"), (MAIN, stream.value, b"a line")}


def _line(text: bytes) -> Lines:
    return Lines(text, np.array([0]), np.array([len(text)]))

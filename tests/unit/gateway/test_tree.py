import pytest

from holdfast.gateway.tree import LogFile, Root, StreamFolder, file_name, normalised, place_of
from holdfast.kernel.instants import Day
from holdfast.kernel.names import Form, NodeName, Stream

DAY = Day("2026-11-24")


def test_paths_stand_for_places() -> None:
    assert place_of(b"/") == place_of(b".") == place_of(b"") == place_of(b"/../..") == Root(Form.PSEUDONYM)
    assert place_of(b"/clear/") == Root(Form.CLEAR)
    assert place_of(b"app/./") == StreamFolder(Stream.APP, Form.PSEUDONYM)
    assert place_of(b"/clear//app/2026-11-24.log") == LogFile(Stream.APP, Form.CLEAR, DAY, None)
    assert place_of(b"/app/2026-11-24.n1.log") == LogFile(Stream.APP, Form.PSEUDONYM, DAY, NodeName("n1"))
    for alone in (True, False):
        assert isinstance(place_of(b"/app/" + file_name(DAY, NodeName("n1"), alone).encode()), LogFile)


@pytest.mark.parametrize(
    "path",
    [
        b"/etc/passwd",
        b"/app/2026-11-24",
        b"/app/2026-13-24.log",
        b"/app/2026-11-24.keeper.log",
        b"/app/2026-11-24.log/x",
        b"/clear/clear/app",
        b"/app/\xff.log",
        b"/app/2026-11-24.log\n",
        b"/" + b"a/" * 3000,
    ],
)
def test_nothing_is_anywhere_else(path: bytes) -> None:
    assert place_of(path) is None


def test_a_path_is_spelt_from_the_top_without_detours() -> None:
    assert normalised(b"//app/../clear/./x") == "/clear/x"

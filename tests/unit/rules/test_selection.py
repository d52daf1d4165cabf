import time

import pyarrow as pa
import pytest

from holdfast.kernel.errors import MalformedError
from holdfast.rules.selection import by_text, selection

LINES = [
    b'192.0.2.1 - - [24/Nov/2026:06:00:00 +0000] "GET /api/x?y=502 HTTP/1.1" 502 12 "-" "probe"\n',
    b'192.0.2.1 - - [24/Nov/2026:06:00:00 +0000] "POST /apix HTTP/1.1" 200 404 "/api/" "a 404 b"\n',
    b'192.0.2.1 - - [24/Nov/2026:06:00:00 +0000] "GET /a\\"b 404 " 200 5 "-" "-"\n',
    b'{"level":"info","request":{"method":"GET","uri":"/api/z"},"status":404}\n',
    b'{"DownstreamStatus":404,"RequestPath":"/shop/1"}\n',
    b'10.0.0.1:5 [24/Nov/2026:06:00:00.000] web be/s1 0/0/1/2/3 404 120 - - ---- 1/1/0/0/0 0/0 "GET /api/h HTTP/1.1"\n',
    b"not an access line 404\n",
]


def found(lines: list[bytes], **wanted: str) -> list[int]:
    mask = by_text(selection(**wanted), pa.array(lines, pa.large_binary()))  # type: ignore[arg-type]
    return list(range(len(lines))) if mask is None else [i for i, one in enumerate(mask.tolist()) if one]


@pytest.mark.parametrize("lines", [LINES, [*LINES, b"\xff\xfe\n"]])
def test_status_and_path_are_read_where_they_stand(lines: list[bytes]) -> None:
    assert found(lines, status="404") == [3, 4, 5]
    assert found(lines, status="5xx") == [0]
    assert found(lines, status="2xx") == [1, 2]
    assert found(lines, path="/api/") == [0, 3, 5]
    assert found(lines, path="/api/*") == [0, 3, 5]
    assert found(lines, path="/*/1") == [4]
    assert found(lines, path="/api") == [0, 1, 3, 5]
    assert found(lines, path="/api/", status="404") == [3, 5]


def test_a_pattern_sees_the_line_without_its_end() -> None:
    assert found([b"a\n", b"ab\n", b"\n"], grep="^a$") == [0]
    assert found([b"\xffa\n", b"ab\n"], grep="a$") == [0]
    assert found(["é\n".encode(), b"e\n"], grep="^.$") == [0, 1]


def test_a_hostile_pattern_cannot_hang_a_reader() -> None:
    began = time.monotonic()
    assert found([b"a" * 50_000 + b"!\n"] * 20, grep="(a+)+$") == []
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("pattern", ["(", "(?=a)", "\\1", "((a{100}){100}){100}", "x" * 2000])
def test_a_pattern_that_is_none_is_a_usage_error(pattern: str) -> None:
    with pytest.raises(MalformedError):
        selection(grep=pattern)

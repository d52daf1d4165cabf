"""Access lines are told by their form; error lines are not access lines."""

import numpy as np
import polars as pl
import pytest

from holdfast.formats import weblogs

TIME = b"[04/Jan/2020:07:25:02 +0000]"
ACCESS = [
    b"192.0.2.1 - - " + TIME + b' "GET / HTTP/1.1" 404 522 "-" "Go-http-client/1.1"',
    b"memze.ro 192.0.2.1 - bob " + TIME + b' "GET / HTTP/1.1" 400 166',
    TIME + b' - 404 404 - GET http openresty.local "/sdfdsf" [Client 1.2.3.4]',
    b"141.35.244.171:53332 [25/Feb/2019:16:19:48.143] prod_in~ bk/nginx 0/0/7/1457/1487 200 11394 - - ---- 2/1",
    b'{"level":"info","logger":"http.log.access.log0","msg":"handled request","status":200}',
    b'{"ClientAddr":"192.0.2.1:39490","DownstreamStatus":404,"RequestMethod":"GET"}',
    b'{"time":"x","remote_addr":"192.0.2.1","status":"200"}',
]
OTHER = [
    b'2021/09/30 09:23:53 [error] 192#192: *17 user "foo" was not found, client: 127.0.0.1, request: "GET / HTTP/1.1"',
    b"[Fri Sep 09 10:42:29.902022 2011] [core:error] [pid 35708] [client 72.15.99.187] File does not exist",
    b"141.35.244.171:53332 [06/Dec/2013:12:09:10.001] frt/f1: Connection error during SSL handshake",
    b"Proxy prod_http_in started.",
    b'{"level":"info","ts":1761019822.3,"msg":"maxprocs: Leaving GOMAXPROCS=12"}',
    b'time="2024-01-15T18:43:09Z" level=debug msg="Handling UDP stream"',
    b"",
]


def test_access_lines_and_only_they_are_recognised() -> None:
    rows = pl.Series(ACCESS + OTHER, dtype=pl.Binary)
    found = weblogs.access_lines(rows, np.ones(len(rows), np.bool_))
    assert found.tolist() == [True] * len(ACCESS) + [False] * len(OTHER)


@pytest.mark.parametrize(
    ("line", "agent"),
    [
        (ACCESS[0], b"Go-http-client/1.1"),
        (ACCESS[0].replace(b"GET", b'G\\"T'), b"Go-http-client/1.1"),
        (ACCESS[0] + b' "-"', b"Go-http-client/1.1"),
        (ACCESS[1], b""),
        (ACCESS[0].replace(b"404", b"40x"), b""),
        (OTHER[0], b""),
    ],
)
def test_the_user_agent_is_the_third_quoted_field_of_a_combined_line(line: bytes, agent: bytes) -> None:
    # Other rows around it, one ending in a backslash, change nothing.
    rows = [b'"a" \\', line, b'"']
    offsets = np.cumsum([0] + [len(row) for row in rows])
    buffer = b"".join(rows)
    starts, ends = weblogs.user_agents(buffer, offsets, np.array([1]))
    assert buffer[starts[0] : ends[0]] == agent

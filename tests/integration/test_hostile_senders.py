"""Senders that mean harm, or are broken, against a real node over real sockets: it stays alive and answers, its memory
is bounded, every byte is kept somewhere, and nothing of a line is ever in what it says."""

import asyncio
import contextlib
import re
import resource
import socket
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.heldlines import held
from tests.support.httplines import HttpLines
from tests.support.platforms import Platform, peak_mib, platform, until

from holdfast.kernel.names import Stream

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

MARK = b"c0ntent-n0body-may-l0g"
HEAD = b"<134>1 2026-11-24T06:00:00Z web1.acme.example app - - - "
SILENT, MOST = 10_000, 10_100
MEMORY_MIB = 600


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    settings = f"[intake]\nmax_connections = {MOST}\n"
    with platform(tmp_path_factory.mktemp("h"), settings=settings, processes=("keeper", "n1")) as running:
        pid = running.pid("n1")
        yield running
        # Whatever came before: alive, sound, and silent about what it was sent.
        assert running.pid("n1") == pid
        assert running.health()
        time.sleep(1.5)
        running.verify()
        peak = peak_mib(pid or 0)
        running.stop()
        print(f"node VmHWM {peak:.0f} MiB")
        assert peak < MEMORY_MIB
        for file in (path for path in running.folder.rglob("*") if path.is_file()):
            assert MARK not in file.read_bytes(), file
        assert "uncaught" not in running.said("n1")
        assert "nobody expected" not in running.said("n1")


def send(home: Platform, *parts: bytes, wait: float = 0.0) -> None:
    """Over a syslog connection of its own, closed at the end."""
    with home.syslog() as connection:
        for part in parts:
            connection.sendall(part)
            time.sleep(wait)


def kept(home: Platform) -> list[bytes]:
    """The messages of every stream that takes lines here."""
    tables = [held(home.home, place, stream) for place in ("acme/main", "platform/unclaimed") for stream in Stream]
    return [line for table in tables for line in table["message"].to_list()]


def find(home: Platform, wanted: bytes, seconds: float = 20.0) -> bytes:
    """The one line that holds these bytes."""
    found: list[bytes] = []

    def there() -> bool:
        found[:] = [line for line in kept(home) if wanted in line]
        return bool(found)

    until(there, seconds, "the line")
    assert len(found) == 1, len(found)
    return found[0]


def responsive(home: Platform) -> float:
    """Seconds for a line over HTTP to be durable and promised."""
    sender = HttpLines(home.nodes["n1"].http, _token(home), "alive.log", timeout=20)
    began = time.monotonic()
    assert sender.post([b"alive " + MARK]) == 200
    return time.monotonic() - began


_TOKENS: dict[Path, str] = {}


def _token(home: Platform) -> str:
    if home.folder not in _TOKENS:
        _TOKENS[home.folder] = home.token("acme/main")
    return _TOKENS[home.folder]


@pytest.mark.parametrize("counted", [False, True], ids=["lf", "octets"])
def test_an_oversized_frame_is_kept_in_pieces_of_which_none_is_missing(home: Platform, counted: bool) -> None:
    words = uuid.uuid4().hex.encode()
    body = b" ".join(b"%s-%06d" % (words, n) for n in range(8_000))
    frame = HEAD + body
    send(home, b"%d %s" % (len(frame), frame) if counted else frame + b"\n", HEAD + b"after " + words + b"\n")
    find(home, b"after " + words)
    pieces = [line for line in kept(home) if words in line and not line.startswith(b"after")]
    assert len(pieces) > 4
    assert b"".join(pieces) == body


def test_a_frame_that_never_ends_takes_no_memory(home: Platform) -> None:
    before = peak_mib(home.pid("n1") or 0)
    block = (MARK + b" without end ") * 4000
    with home.syslog() as connection:
        connection.sendall(HEAD)
        sent = 0
        while sent < 96 << 20:
            connection.sendall(block)
            sent += len(block)
    assert responsive(home) < 10
    after = peak_mib(home.pid("n1") or 0)
    print(f"VmHWM {before:.0f} -> {after:.0f} MiB for {sent >> 20} MiB without LF")
    until(
        lambda: sum(line.count(b" without end ") for line in kept(home)) >= sent // len(MARK + b" without end ") - 800
    )
    assert after < MEMORY_MIB


ODD = [
    pytest.param(HEAD + b"bad \xff\xfe\xc3\x28 utf-8 %s\n", id="invalid-utf-8"),
    pytest.param(HEAD + b"nul \x00 and \x00 nul %s\n", id="nul"),
    pytest.param(b"<999>1 2026-11-24T06:00:00Z web1.acme.example app - - - pri %s\n", id="pri-too-large"),
    pytest.param(b"<>pri empty %s\n", id="pri-empty"),
    pytest.param(b"<-1>pri negative %s\n", id="pri-negative"),
    pytest.param(b"<13 pri open %s\n", id="pri-open"),
    pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS client %s\n", id="tls"),
    pytest.param(b"GET / HTTP/1.1 %s\r\n", id="http"),
    pytest.param(b"\xef\xbb\xbf\xe2\x80\xa8 separators \xc2\x85 %s\n", id="separators"),
    pytest.param(b"5 <13>x %s\n", id="count-too-small"),
    pytest.param(b"4000 <13>x %s\n<13>another line\n", id="count-too-big"),
    pytest.param(b"99999999999999999999999999 <13>x %s\n", id="count-huge"),
    pytest.param(b"999999999 <13>x %s\n", id="count-large"),
    pytest.param(b"0 <13>x %s\n", id="count-zero"),
    pytest.param(b"007 <13>x %s\n", id="count-leading-zeros"),
    pytest.param(HEAD + b"cut by close %s", id="cut-lf"),
    pytest.param(b"500 " + HEAD + b"cut by close %s", id="cut-octets"),
    pytest.param(HEAD[:-2] + b'[a@1 b="never closed %s\n', id="structured-data-open"),
    pytest.param(b"<13>" + b"Nov 99 99:99:99 host tag: %s\n", id="time-that-is-none"),
    pytest.param(b"\x1f\x1f %s \x1f\n", id="separator-of-fields"),
]


@pytest.mark.parametrize("frame", ODD)
def test_an_odd_frame_is_kept_as_text(home: Platform, frame: bytes) -> None:
    token = uuid.uuid4().hex.encode() + MARK
    send(home, frame % token)
    line = find(home, token)
    # Words stay in order; what a parser made into fields is not in the message any more.
    assert re.sub(rb"\W", b"", line) in re.sub(rb"\W", b"", frame % token)


def test_senders_that_dribble_hold_nobody_up_and_lose_nothing(home: Platform) -> None:
    names = [uuid.uuid4().hex.encode() for _ in range(40)]
    frames = [HEAD + b"slowly %s\n" % name for name in names]
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(home.syslog()) for _ in names]
        for connection in connections:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(max(map(len, frames))):
            for connection, frame in zip(connections, frames, strict=True):
                connection.sendall(frame[at : at + 1])
            if at % 25 == 0:
                assert responsive(home) < 5
    until(lambda: sum(line.startswith(b"slowly ") for line in kept(home)) == len(names), 20)
    assert {line.removeprefix(b"slowly ") for line in kept(home) if line.startswith(b"slowly ")} == set(names)


def test_ten_thousand_connections_that_say_nothing_cost_little_and_give_way(home: Platform) -> None:
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    assert hard > SILENT + 500, "the limit of open files is too low for this test"
    pid = home.pid("n1") or 0
    before = peak_mib(pid)
    words = uuid.uuid4().hex.encode()
    with contextlib.ExitStack() as stack:
        began = time.monotonic()
        for _ in range(SILENT):
            stack.enter_context(home.syslog())
        opened = time.monotonic() - began
        until(lambda: _descriptors(pid) > SILENT, 20, "all accepted")
        latency = responsive(home)
        for n in range(300):  # more than there is room for: the silent ones give way
            stack.enter_context(speaking := home.syslog()).sendall(HEAD + b"%s %d\n" % (words, n))
        del speaking
        until(lambda: sum(words in line for line in kept(home)) == 300, 20, "lines of those who speak")
        after = peak_mib(pid)
        print(f"{SILENT} silent connections in {opened:.1f} s: VmHWM {before:.0f} -> {after:.0f} MiB")
        print(f"{latency:.2f} s for a line over HTTP meanwhile")
        assert latency < 5
        assert after - before < 150
    until(lambda: _descriptors(pid) < 500, 20, "all closed")


def test_silent_http_connections_give_way_to_those_that_ask(home: Platform) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(2_500):
            stack.enter_context(socket.create_connection(("127.0.0.1", home.nodes["n1"].http), timeout=20))
        assert responsive(home) < 5
        assert _descriptors(home.pid("n1") or 0) < 2_500


def test_http_connections_that_ask_and_stay_are_told_to_come_later(home: Platform) -> None:
    request = b"POST /v1/lines?stream=app HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"
    with contextlib.ExitStack() as stack:
        for _ in range(1_000):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", home.nodes["n1"].http), timeout=20))
            one.sendall(request[:30])
        time.sleep(0.5)
        sender = HttpLines(home.nodes["n1"].http, _token(home), "late.log")
        assert sender.post([b"late " + MARK]) == 503
        assert sender.retry_after == "1"
    until(lambda: sender.post([b"late " + MARK]) == 200, 30, "room again")


def _descriptors(pid: int) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


GARBAGE = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
    b"GET / HTTP/9.9\r\n\r\n",
    b"\r\n\r\n\r\n" + MARK + b"\r\n\r\n",
    b"POST /v1/lines HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n" + MARK,
    b"POST /v1/lines HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n" + MARK,
    b"POST /v1/lines HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n" + MARK,
    b"POST /v1/lines HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n" + MARK,
    b"POST /v1/lines?stream=app&stream=app HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na\nb",
    b"POST /v1/lines?%00%ff=" + MARK + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    b"GET /../../" + MARK + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: x\r\nX: " + MARK * 2000 + b"\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
]


def test_garbage_to_the_http_port_is_refused_and_never_repeated(home: Platform) -> None:
    for data in GARBAGE:
        with socket.create_connection(("127.0.0.1", home.nodes["n1"].http), timeout=5) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            with contextlib.suppress(OSError):
                while part := connection.recv(65536):
                    answer += part
        assert not answer or re.match(rb"HTTP/1.1 (?:4[0-9][0-9]|200) ", answer), answer[:200]
        assert b" 200 " not in answer[:15] or b"/health" in data
        assert MARK not in answer
    assert responsive(home) < 5


def test_an_unknown_token_gets_nothing(home: Platform) -> None:
    sender = HttpLines(home.nodes["n1"].http, "wrong", "wrong.log")
    assert sender.post([b"a line " + MARK + b" of a stranger"]) == 401
    assert not any(b"of a stranger" in line for line in kept(home))


async def _post(port: int, token: str, number: int) -> tuple[int, int]:
    """One line over a connection of its own until it is promised: (tries, last status)."""
    line = b"parallel %d %s\n" % (number, MARK)
    target = f"/v1/lines?stream=app&file=parallel.log&id={number:032x}&offset=0&sender={uuid.uuid4()}"
    head = f"POST {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: {len(line)}\r\n\r\n"
    status = 0
    for attempt in range(1, 40):
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(head.encode() + line)
                answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
                status = int(answer[9:12])
                assert status != 503 or b"retry-after: " in answer.lower(), answer
            finally:
                writer.close()
                await writer.wait_closed()
        if status == 200:
            return attempt, status
        await asyncio.sleep(0.3)
    return attempt, status


def test_a_thousand_posts_at_once_are_each_promised_once(home: Platform) -> None:
    token, port, count = _token(home), home.nodes["n1"].http, 1000

    async def all_of_them() -> list[tuple[int, int]]:
        return await asyncio.gather(*(_post(port, token, number) for number in range(count)))

    began = time.monotonic()
    done = asyncio.run(all_of_them())
    print(f"{count} posts in {time.monotonic() - began:.1f} s, {sum(tries for tries, _ in done)} tries")
    assert {status for _, status in done} == {200}
    numbers = sorted(int(line.split(b" ")[1]) for line in kept(home) if line.startswith(b"parallel "))
    assert numbers == list(range(count))

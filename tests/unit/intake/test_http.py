import asyncio
import logging
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from tests.support.asgi import Response, ask
from tests.support.fakenode import SIGNER, FakeTaker, OneToken, taken, taken_lines

from holdfast.formats.promises import signed_promise_of
from holdfast.intake.http import HttpChunk, HttpLimits, Receipt, app
from holdfast.intake.http_tokens import RememberedTokens, TokenHolder
from holdfast.kernel.errors import BusyError, HoldfastError, OutcomeUnknownError, RefusedError

SENDER = "8a9e3a52-2d02-4d0f-8b3a-6a0f3f6d0c11"
QUERY = {"stream": "app", "file": "app.log", "id": "0" * 32, "offset": "0", "sender": SENDER}


def run(coroutine: Coroutine[Any, Any, Response]) -> Response:
    return asyncio.run(coroutine)


def post(taker: FakeTaker, body: bytes | list[bytes], **changes: Any) -> Response:
    options = {name: changes.pop(name) for name in ("token", "length", "headers", "stall") if name in changes}
    limits = changes.pop("limits", HttpLimits(body=1000, line=100))
    query = {name: value for name, value in {**QUERY, **changes}.items() if value is not None}
    return run(ask(app(taker, OneToken(), SIGNER, limits), "POST", "/v1/lines", query, body, **options))


def test_whole_lines_are_taken_and_answered_with_a_promise_that_verifies(tmp_path: Path) -> None:
    response = post(FakeTaker(tmp_path), [b"one\ntw", b"o\n"])
    assert response.status == 200
    signed_promise_of(response.json()).verify(SIGNER.verifier.vkey())
    assert response.json()["duplicate"] is False
    assert taken_lines(tmp_path) == [b"one", b"two"]
    assert taken(tmp_path)[0]["file"] == "app.log"


def test_a_chunk_sent_again_gets_the_same_promise_and_is_not_taken_again(tmp_path: Path) -> None:
    taker = FakeTaker(tmp_path)
    first, again = post(taker, b"one\n"), post(taker, b"one\n")
    assert again.json() == {**first.json(), "duplicate": True}
    assert taken_lines(tmp_path) == [b"one"]


def test_a_gap_is_answered_with_where_the_node_stands(tmp_path: Path) -> None:
    taker = FakeTaker(tmp_path)
    promise = post(taker, b"one\n").json()
    response = post(taker, b"three\n", offset="8")
    assert response.status == 409
    position = response.json()["position"]
    assert (position["expected"], position["offset"]) == ("4", "0")
    assert position["promise"] == {name: value for name, value in promise.items() if name != "duplicate"}


def test_positions_say_where_the_node_stands_and_null_for_what_it_does_not_know(tmp_path: Path) -> None:
    application = app(FakeTaker(tmp_path), OneToken(), SIGNER)
    query = {name: QUERY[name] for name in ("stream", "sender", "id")}
    assert run(ask(application, "GET", "/v1/positions", query)).json() == {"expected": None}
    assert run(ask(application, "POST", "/v1/lines", QUERY, b"one\n")).status == 200
    assert run(ask(application, "GET", "/v1/positions", query)).json()["expected"] == "4"


@pytest.mark.parametrize("token", [None, "wrong", "a b", "x" * 600])
def test_without_a_known_token_nothing_is_taken(tmp_path: Path, token: str | None) -> None:
    response = post(FakeTaker(tmp_path), b"one\n", token=token)
    assert (response.status, response.headers[b"www-authenticate"]) == (401, b"Bearer")
    assert not taken(tmp_path)


@pytest.mark.parametrize(
    ("token", "environment", "stream", "status"),
    [
        ("secret", "acme/main", "app", 200),
        ("secret", "other/main", "app", 403),
        ("secret", None, "ssh-access", 403),
        ("recorder", "other/main", "ssh-access", 200),
        ("recorder", "other/main", "app", 403),
        ("recorder", None, "ssh-access", 403),
    ],
)
def test_a_token_sends_only_where_it_may(
    tmp_path: Path, token: str, environment: str | None, stream: str, status: int
) -> None:
    assert post(FakeTaker(tmp_path), b"x\n", token=token, environment=environment, stream=stream).status == status


@pytest.mark.parametrize(
    "changes",
    [
        {"stream": "mail"},
        {"offset": "-1"},
        {"offset": "01"},
        {"offset": None},
        {"sender": SENDER.upper()},
        {"id": "../../etc"},
        {"file": "a/b"},
        {"file": "a\x1b[2J"},
        {"final": "yes"},
        {"colour": "red"},
        {"environment": "ACME"},
        {"length": 3},
    ],
)
def test_what_is_not_exactly_right_is_malformed_and_not_taken(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert post(FakeTaker(tmp_path), b"one\n", **changes).status == 400
    assert not taken(tmp_path)


def test_half_a_line_is_taken_only_when_it_is_said_to_be_final(tmp_path: Path) -> None:
    assert post(FakeTaker(tmp_path), b"one\nhal").status == 400
    assert post(FakeTaker(tmp_path), b"one\nhal", final="1").status == 200
    assert taken_lines(tmp_path) == [b"one", b"hal"]


def test_an_empty_body_is_malformed(tmp_path: Path) -> None:
    assert post(FakeTaker(tmp_path), b"").status == 400


def test_a_line_past_the_limit_is_cut_and_no_byte_of_it_is_lost(tmp_path: Path) -> None:
    assert post(FakeTaker(tmp_path), "é".encode() * 99 + b"\nshort\n").status == 200
    lines = taken_lines(tmp_path)
    assert [len(line) for line in lines] == [100, 98, 5]
    assert b"".join(lines[:2]).decode() == "é" * 99


def test_a_body_past_the_limit_is_refused_in_plain_words_without_reading_it(tmp_path: Path) -> None:
    response = post(FakeTaker(tmp_path), b"x\n" * 501, stall=True)
    assert (response.status, response.headers[b"connection"]) == (413, b"close")
    assert response.body == b"a body holds at most 1000 bytes; send less at once\n"


def test_a_body_that_does_not_come_is_not_waited_for(tmp_path: Path) -> None:
    limits = HttpLimits(body_seconds=0.05)
    response = post(FakeTaker(tmp_path), [b"one\n", b"two\n"], stall=True, limits=limits)
    assert (response.status, response.headers[b"connection"]) == (408, b"close")
    assert not taken(tmp_path)


def test_bodies_in_hand_are_bounded_and_the_next_is_told_to_come_later(tmp_path: Path) -> None:
    response = post(FakeTaker(tmp_path), b"x" * 99 + b"\n", limits=HttpLimits(held=99))
    assert (response.status, response.headers[b"retry-after"]) == (503, b"1")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BusyError("not-now", "the disk is full"), 503),
        (RefusedError("hosting", "the environment is on another hosting", environment="acme/main"), 403),
        (OutcomeUnknownError("fsync", "the journal's outcome is not known"), 500),
    ],
)
def test_each_error_family_has_its_status(tmp_path: Path, error: HoldfastError, status: int) -> None:
    class Failing(FakeTaker):
        async def take(self, chunk: HttpChunk) -> Receipt:
            raise error

    response = post(Failing(tmp_path), b"one\n")
    assert response.status == status
    assert response.json()["error"]["code"] == error.code


def test_an_unexpected_error_shows_nothing_of_the_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(FakeTaker):
        async def take(self, chunk: HttpChunk) -> Receipt:
            raise ValueError(chunk.lines.buffer)

    with caplog.at_level(logging.ERROR):
        response = post(Broken(tmp_path), b"password hunter2\n")
    assert response.status == 500
    assert "ValueError" in caplog.text
    assert "hunter2" not in caplog.text + response.body.decode()


def test_a_retry_that_overtakes_its_first_try_finds_the_first_ones_outcome(tmp_path: Path) -> None:
    application = app(FakeTaker(tmp_path, delay=0.05), OneToken(), SIGNER)

    async def both() -> list[Response]:
        return await asyncio.gather(*(ask(application, "POST", "/v1/lines", QUERY, b"one\n") for _ in range(3)))

    responses = asyncio.run(both())
    assert [response.json()["duplicate"] for response in responses] == [False, True, True]
    assert taken_lines(tmp_path) == [b"one"]


def test_what_nobody_wrote_is_not_there(tmp_path: Path) -> None:
    application = app(FakeTaker(tmp_path), OneToken(), SIGNER)
    assert run(ask(application, "GET", "/health")).json() == {"ready": True}
    assert run(ask(application, "GET", "/v1/lines")).status == 405
    assert run(ask(application, "POST", "/v2/lines")).status == 404


def test_the_keeper_is_asked_once_in_ten_seconds() -> None:
    tokens, now = OneToken(), 0.0

    async def ask_thrice() -> list[TokenHolder | None]:
        nonlocal now
        remembered = RememberedTokens(tokens, lambda: now)
        holders = [await remembered.holder("Bearer secret"), await remembered.holder("bearer secret")]
        now = 10.0
        return [*holders, await remembered.holder("Bearer secret")]

    assert len(set(asyncio.run(ask_thrice()))) == 1
    assert tokens.asked == 2

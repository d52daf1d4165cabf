"""`holdfast send` against a node over loopback, both real processes, both killed."""

import json
import os
import random
import signal
import socket
import threading
import time
from pathlib import Path

import pytest
from tests.support.fakenode import SIGNER, taken_lines
from tests.support.sendprocess import following, free_port, node, send, start_send, until

from holdfast.formats.promises import signed_promise_of


def write(path: Path, first: int, count: int) -> list[bytes]:
    lines = [b"%d some words of a log line that is about as long as lines are" % n for n in range(first, first + count)]
    with path.open("ab") as file:
        file.write(b"\n".join(lines) + b"\n")
    return lines


def kept_promises(state: Path) -> list[dict[str, object]]:
    return [json.loads(line)["promise"] for line in (state / "promises").read_bytes().splitlines()]


def test_a_file_is_taken_once_and_every_chunk_has_a_kept_promise_that_verifies(tmp_path: Path) -> None:
    log, state = tmp_path / "app.log", tmp_path / "state"
    lines = write(log, 0, 100_000)
    with node(tmp_path) as n1:
        key = ("--promise-key", SIGNER.verifier.vkey())
        status, output, errors = send(n1.url, state, *key, log)
        assert (status, errors) == (0, "")
        assert output.startswith("100,000 lines taken, ")
        status, output, _ = send(n1.url, state, *key, "--json", log)
        assert json.loads(output)["lines"] == 0
        lines += write(log, 100_000, 5)
        status, output, _ = send(n1.url, state, *key, "--json", log)
        assert [json.loads(line)["kind"] for line in output.splitlines()] == ["promise", "end"]
    assert taken_lines(tmp_path) == lines
    for promise in kept_promises(state):
        signed_promise_of(promise).verify(SIGNER.verifier.vkey())  # type: ignore[arg-type]


def test_whichever_side_is_killed_at_any_moment_no_line_is_lost_or_doubled(tmp_path: Path) -> None:
    chance = random.Random(os.environ.get("HOLDFAST_SEED", "1"))
    log, state = tmp_path / "app.log", tmp_path / "state"
    lines: list[bytes] = []
    stop = threading.Event()

    def produce() -> None:
        while not stop.is_set():
            lines.extend(write(log, len(lines), chance.randrange(1, 5_000)))
            time.sleep(0.05)

    with node(tmp_path, "--delay", "0.005", "--busy-every", "19") as n1:
        writer = threading.Thread(target=produce)
        writer.start()
        try:
            for _round in range(8):
                sender = start_send(n1.url, state, "--follow", log)
                time.sleep(0.4 + chance.random() * 0.5)
                if chance.random() < 0.6:
                    n1.kill()
                    time.sleep(chance.random() * 0.2)
                    n1.start(wait=False)
                    time.sleep(chance.random() * 1.2)
                sender.kill()
                sender.communicate()
        finally:
            stop.set()
            writer.join()
        status, _, errors = send(n1.url, state, log)
        assert status == 0, errors
    assert taken_lines(tmp_path) == lines
    for promise in kept_promises(state):
        signed_promise_of(promise).verify(SIGNER.verifier.vkey())  # type: ignore[arg-type]


def test_following_survives_rename_and_copytruncate_and_a_restart_in_between(tmp_path: Path) -> None:
    log, state = tmp_path / "app.log", tmp_path / "state"
    with node(tmp_path) as n1:
        with following(n1.url, state, log):
            lines = write(log, 0, 1000)
            until(lambda: taken_lines(tmp_path) == lines)
            old = log.open("ab")
            log.rename(tmp_path / "app.log.1")
            lines += write(log, 1000, 10)
            old.write(b"late half")
            old.close()
            lines.insert(1000, b"late half")
            until(lambda: taken_lines(tmp_path) == lines)
        with (tmp_path / "app.log").open("ab") as file:
            file.write(b"before rotation\n")
        log.rename(tmp_path / "app.log.2")
        lines += [b"before rotation", *write(log, 2000, 10)]
        with following(n1.url, state, log):
            until(lambda: taken_lines(tmp_path) == lines)
            os.truncate(log, 0)
            lines += write(log, 3000, 3)
            until(lambda: taken_lines(tmp_path) == lines)


def test_a_node_that_is_away_is_waited_for_and_that_is_said_once(tmp_path: Path) -> None:
    log, state = tmp_path / "app.log", tmp_path / "state"
    lines = write(log, 0, 10)
    status, _, errors = send(f"http://127.0.0.1:{free_port()}", state, "--give-up", "0.5", log)
    assert status == 75
    assert errors.count("does not answer; trying again") == 1
    with node(tmp_path, "--busy-every", "2") as n1, start_send(n1.url, state, "--follow", log) as sender:
        until(lambda: taken_lines(tmp_path) == lines)
        sender.send_signal(signal.SIGINT)
        output, errors_after = sender.communicate(timeout=30)
        assert (sender.returncode, b"before it was stopped" in output) == (0, True), errors_after


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("--node", "ftp://x", "app.log"), 78, "the node is given as http://host:port"),
        (("missing.log",), 78, "a file to send is not there"),
        (("--environment", "Acme", "app.log"), 65, "an environment is named project/environment"),
        (("--environment", "other/main", "app.log"), 77, "this token belongs to another environment"),
    ],
)
def test_what_is_wrong_is_said_in_plain_words_with_its_exit_status(
    tmp_path: Path, arguments: tuple[str, ...], status: int, words: str
) -> None:
    write(tmp_path / "app.log", 0, 1)
    with node(tmp_path) as n1:
        places = [str(tmp_path / argument) if argument.endswith(".log") else argument for argument in arguments]
        ended, _, errors = send(n1.url, tmp_path / "state", *places)
    assert (ended, words in errors) == (status, True), errors


def test_a_connection_that_says_nothing_or_dribbles_a_head_is_closed(tmp_path: Path) -> None:
    with node(tmp_path, "--head-seconds", "0.2") as n1:
        for words in (b"", b"GET /hea"):
            with socket.create_connection(("127.0.0.1", n1.port), timeout=10) as client:
                client.sendall(words)
                assert client.recv(1) == b""
        with socket.create_connection(("127.0.0.1", n1.port), timeout=10) as client:
            client.sendall(b"GET /health HTTP/1.1\r\nx: " + b"x" * 20_000)
            assert client.recv(12) == b"HTTP/1.1 400"

"""`holdfast send` into a real node of a real home, both killed at random, then everything recomputed."""

import json
import os
import random
import time
from pathlib import Path

import pytest
from tests.support.platformprocess import platform
from tests.support.sendprocess import send, start_send


def _write(path: Path, first: int, count: int) -> int:
    with path.open("ab") as file:
        file.write(
            b"".join(b"%d a line of an application, and it is this long\n" % n for n in range(first, first + count))
        )
    return first + count


@pytest.mark.slow
def test_every_line_is_there_once_whatever_is_killed_and_verify_holds(tmp_path: Path) -> None:
    chance = random.Random(os.environ.get("KILL_SEED", "1"))
    log, state = tmp_path / "app.log", tmp_path / "state"
    written = _write(log, 0, 1)
    with platform(tmp_path / "home") as home:
        token = tmp_path / "token"
        token.write_text(home.new_token() + "\n")
        for _round in range(5):
            sender = start_send(home.url, state, "--token-file", token, "--follow", log)
            for _burst in range(8):
                written = _write(log, written, chance.randrange(1, 10_000))
                time.sleep(0.1)
            home.kill("node")
            if chance.random() < 0.5:
                sender.kill()
            home.start_node(wait=False)
            time.sleep(chance.random() * 2)
            sender.kill()
            sender.communicate()
        status, _, errors = send(home.url, state, "--token-file", token, "--give-up", "30", log)
        assert status == 0, errors
        report = home.verify()
        home.stop()
    assert report["sound"], report["findings"]
    assert report["holding"] == {"acme/main app": written}
    # Every promise kept, without repetitions, adds up to the same lines in the same order.
    kept = {int(row["offset"]): row for row in map(json.loads, (state / "promises").read_bytes().splitlines())}
    offset = first = 0
    for at in sorted(kept):
        assert (at, int(kept[at]["promise"]["first"])) == (offset, first)
        offset, first = offset + int(kept[at]["length"]), first + kept[at]["promise"]["count"]
    assert (offset, first) == (log.stat().st_size, written)

"""A process killed at any moment leaves whole objects or none."""

import hashlib
import signal
import subprocess
import sys
import time
from pathlib import Path

from holdfast.drivers.posix import PosixStore

WRITER = """
import hashlib, sys
from pathlib import Path
from holdfast.drivers.posix import PosixStore
store, start = PosixStore(Path(sys.argv[1])), int(sys.argv[2])
for i in range(start, start + 100000):
    data = bytes([i % 256]) * (1 + i * 7919 % 300000)
    name = f"a/{i % 7}/{i}-{hashlib.sha256(data).hexdigest()}"
    store.create(name, data)
    print(name, flush=True)
"""


def test_what_was_answered_is_there_and_nothing_is_half(tmp_path: Path) -> None:
    answered: set[str] = set()
    for round_ in range(5):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(100000 * round_)], stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None
            answered.add(writer.stdout.readline().strip())
            time.sleep(0.05 + 0.03 * round_)
            writer.send_signal(signal.SIGKILL)
            # The last line may be cut off; a name is whole if its line is.
            answered.update(line.strip() for line in writer.stdout if line.endswith("\n"))
        store = PosixStore(tmp_path)
        assert list((tmp_path / ".partial").iterdir()) == []
        held = set(store.names())
        assert answered <= held
        for name in held:
            assert hashlib.sha256(store.read(name)).hexdigest() == name.rpartition("-")[2]

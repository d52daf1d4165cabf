"""The sample application: it writes a log file, and the real `holdfast send --follow` takes the file in.

The file is rotated by renaming at a start at which it has grown too large. `send` goes on where it was, whatever died.
"""

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import cycle

from holdfast.demo import samples
from holdfast.demo.folder import DemoFolder
from holdfast.demo.platform import DemoNode
from holdfast.demo.register import ACME
from holdfast.demo.retiming import retimed
from holdfast.drivers.ready import LIFELINE

BURST, PER_SECOND = 600, 0.8
ROTATE_BYTES = 4 << 20
RESTART_SECONDS = 5.0
STOP_SECONDS = 10.0

log = logging.getLogger("holdfast.demo")


class ApplicationLog:
    """The file and who writes it."""

    def __init__(self, folder: DemoFolder) -> None:
        self._path = folder.application_log
        self._lines = cycle(samples.application_file())
        self._owed = 0.0
        self.sent = 0
        if self._path.exists() and self._path.stat().st_size > ROTATE_BYTES:
            self._path.rename(self._path.with_name(f"{self._path.name}.1"))
        self._path.touch(mode=0o600)

    def burst(self) -> None:
        """What it begins with."""
        self._write([next(self._lines) for _ in range(BURST)])

    def passed(self, seconds: float) -> None:
        """What it wrote meanwhile."""
        self._owed += PER_SECOND * seconds
        whole = int(self._owed)
        self._owed -= whole
        self._write([next(self._lines) for _ in range(whole)])

    def _write(self, lines: Sequence[str]) -> None:
        if lines:
            now = datetime.now(UTC)
            with self._path.open("a", encoding="utf-8", newline="\n") as file:
                file.write("".join(f"{retimed(line, now)}\n" for line in lines))
            self.sent += len(lines)


async def keep_sending(folder: DemoFolder, node: DemoNode) -> None:
    """Run `holdfast send --follow` on the file until cancelled; start it again if it ends."""
    arguments = (
        *("send", str(folder.application_log), "--environment", ACME, "--stream", "app", "--node", node.http),
        *("--token-file", str(folder.token), "--promise-key", node.promise_vkey),
        *("--state", str(folder.sending), "--follow"),
    )
    while True:
        lifeline, held = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "holdfast", *arguments),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,  # its last words; what goes wrong it says on stderr
                pass_fds=(lifeline,),
                env={**os.environ, LIFELINE: str(lifeline)},
            )
        finally:
            os.close(lifeline)
        try:
            status = await process.wait()
        finally:
            await _stop(process)
            os.close(held)
        log.warning("`holdfast send` ended; starting it again", extra={"fields": {"status": status}})
        await asyncio.sleep(RESTART_SECONDS)


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()

"""Between a process and who started it: "I serve" upwards, "you are alone" downwards. Two pipes, named by variables.

* `HOLDFAST_READY_FD`: the process writes one JSON line when it serves, and closes it.
* `HOLDFAST_LIFELINE_FD`: nobody ever writes to it. It ends when the other side is gone, however that came about, and
  the process then stops as cleanly as if told to: a killed supervisor leaves nothing running.
"""

import asyncio
import json
import logging
import os
import threading
from collections.abc import Callable
from contextlib import suppress

READY = "HOLDFAST_READY_FD"
LIFELINE = "HOLDFAST_LIFELINE_FD"


def _descriptor(variable: str) -> int | None:
    """The descriptor a variable names, taken out of the environment so that children of ours do not use it."""
    text = os.environ.pop(variable, "")
    if not (text.isascii() and text.isdigit()):
        return None
    descriptor = int(text)
    try:
        os.set_inheritable(descriptor, False)
    except OSError:
        return None
    return descriptor


class Readiness:
    """Says once that this process serves: to who asked, else in the log."""

    def __init__(self) -> None:
        self._descriptor = _descriptor(READY)

    def __call__(self) -> None:
        """Say it."""
        if self._descriptor is None:
            logging.getLogger("holdfast.process").info("serving")
            return
        line = json.dumps({"ready": True, "pid": os.getpid()}).encode() + b"\n"
        with suppress(OSError):  # who asked is gone; the lifeline says so too
            os.write(self._descriptor, line)
        os.close(self._descriptor)
        self._descriptor = None


def watch_lifeline(gone: Callable[[], None]) -> None:
    """Call `gone` on the running event loop when the supervisor is no more. Quiet if there is none."""
    descriptor = _descriptor(LIFELINE)
    if descriptor is None:
        return
    loop = asyncio.get_running_loop()
    os.set_blocking(descriptor, False)

    def ended() -> None:
        with suppress(BlockingIOError):
            if os.read(descriptor, 64) == b"":
                loop.remove_reader(descriptor)
                os.close(descriptor)
                gone()

    loop.add_reader(descriptor, ended)


def watch_lifeline_in_thread(gone: Callable[[], None]) -> None:
    """The same for a process without an event loop: `gone` is called in a thread of its own."""
    descriptor = _descriptor(LIFELINE)
    if descriptor is None:
        return

    def wait() -> None:
        with suppress(OSError):
            while os.read(descriptor, 64):
                pass
        gone()

    threading.Thread(target=wait, name="lifeline", daemon=True).start()

"""What a command writes to its client: at the client's pace, and harmless to a terminal."""

from typing import Any

import asyncssh

from holdfast.rules.rendering import visible

_PIECE = 256 << 10
_TERMINAL_PIECE = 16 << 10


class Output:
    """Standard output and error of one command. Into a pipe bytes go as they are; on a terminal what it would act on is
    made visible."""

    def __init__(self, stdout: "asyncssh.SSHWriter[Any]", stderr: "asyncssh.SSHWriter[Any]", terminal: bool) -> None:
        self._stdout = stdout
        self._stderr = stderr
        self._terminal = terminal

    async def write(self, data: bytes) -> None:
        """Write, and wait until the client has taken nearly all of it."""
        view, at = memoryview(data), 0
        while at < len(data):
            if self._terminal:
                # Pieces end at line ends, so that no character is cut.
                end = data.find(b"\n", min(at + _TERMINAL_PIECE, len(data) - 1)) + 1 or len(data)
                self._stdout.write(_for_terminal(data[at:end]))
            else:
                end = min(at + _PIECE, len(data))
                self._stdout.write(bytes(view[at:end]))
            at = end
            await self._stdout.drain()

    def say(self, text: str) -> None:
        """A word to the person, on standard error."""
        data = f"{text}\n".encode()
        self._stderr.write(_for_terminal(data) if self._terminal else data)


def _for_terminal(data: bytes) -> bytes:
    return visible(data).replace(b"\n", b"\r\n")

"""Session channels: a command, SFTP, or scp. No shell, no environment variables, no agent, no X11.

A channel's work is one task. It ends when it is done, when the client closes, stops reading (`| head`) or interrupts;
whatever of that comes first, nothing goes on for a client that is gone.
"""

import asyncio
import contextlib
import inspect
from collections.abc import Callable
from typing import Any

import asyncssh
from asyncssh.channel import SSHServerChannel
from asyncssh.packet import SSHPacket
from asyncssh.scp import run_scp_server
from asyncssh.stream import SSHServerStreamSession

from holdfast.gateway.commands import run
from holdfast.gateway.files import Files
from holdfast.gateway.opening import Visitor
from holdfast.gateway.output import Output
from holdfast.gateway.ports import Prover
from holdfast.gateway.sftp import ReadOnlyHandler, ReadOnlyServer

_WINDOW = 2 << 20
_PACKET = 32 << 10
_BUFFER = 512 << 10
_SIGPIPE, _SIGINT = 141, 130
_UNEXPECTED = 70


class Channel(SSHServerChannel[bytes]):
    """A session channel that counts what goes out."""

    def __init__(self, connection: Any, count: Callable[[int], None]) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(connection, loop, True, False, False, 0, 1024, None, "strict", _WINDOW, _PACKET)
        self._count = count
        self.set_write_buffer_limits(_BUFFER)

    def write(self, data: bytes, datatype: int | None = None) -> None:
        """Send bytes."""
        self._count(len(data))
        super().write(data, datatype)

    def _process_env_request(self, packet: SSHPacket) -> bool:
        return False

    def _process_x11_req_request(self, packet: SSHPacket) -> bool | None:
        return False

    def _process_eow_at_openssh_dot_com_request(self, packet: SSHPacket) -> bool:
        # The client's own reader is gone. OpenSSH says so to servers that call themselves OpenSSH (serving.VERSION).
        packet.check_end()
        assert isinstance(self._session, Session)
        self._session.stop(_SIGPIPE)
        return True


class Session(SSHServerStreamSession[bytes]):
    """What goes on in a channel."""

    def __init__(self, visitor: Visitor, prover: Prover | None, handles: int, ended: Callable[[], None]) -> None:
        super().__init__(None)
        self._visitor = visitor
        self._prover = prover
        self._handles = handles
        self._ended = ended
        self._task: asyncio.Task[None] | None = None
        self._stopped = 0
        self._takes_input = False
        self._terminal = False

    def pty_requested(self, term_type: str, term_size: Any, term_modes: Any) -> bool:
        """A terminal changes only how things are shown."""
        self._terminal = True
        return True

    def shell_requested(self) -> bool:
        """Answered with help: there is no shell."""
        return True

    def exec_requested(self, command: str) -> bool:
        """Parsed once it runs."""
        return True

    def subsystem_requested(self, subsystem: str) -> bool:
        """SFTP is the only one."""
        return subsystem == "sftp"

    def session_started(self) -> None:
        """Begin the work."""
        channel = self._chan
        assert isinstance(channel, Channel)
        # Said now, not when the task runs: the client's first bytes may come before that.
        self._takes_input = channel.get_subsystem() is not None or (channel.get_command() or "").startswith("scp ")
        self._task = asyncio.get_running_loop().create_task(self._run(channel))

    async def _run(self, channel: Channel) -> None:
        status = _UNEXPECTED
        try:
            status = await self._work(channel)
        except asyncio.CancelledError:
            status = self._stopped
        except (asyncssh.Error, OSError, EOFError):
            status = _SIGPIPE
        finally:
            with contextlib.suppress(OSError):
                channel.exit(status)

    async def _work(self, channel: Channel) -> int:
        stdin: asyncssh.SSHReader[bytes] = asyncssh.SSHReader(self, channel)
        stdout: asyncssh.SSHWriter[bytes] = asyncssh.SSHWriter(self, channel)
        stderr: asyncssh.SSHWriter[bytes] = asyncssh.SSHWriter(self, channel, asyncssh.EXTENDED_DATA_STDERR)
        command = channel.get_command()
        if not self._takes_input:
            return await run(self._visitor, self._prover, command, Output(stdout, stderr, self._terminal))
        files = Files(self._visitor)
        try:
            server = ReadOnlyServer(channel, files)
            if channel.get_subsystem() is not None:
                await ReadOnlyHandler(server, stdin, stdout, self._handles).run()
            else:
                copying = run_scp_server(server, command or "", stdin, stdout, stderr)
                if inspect.isawaitable(copying):
                    await copying
        finally:
            await files.close()
        return 0

    def stop(self, status: int) -> None:
        """End the work; what is not sent yet is not sent any more."""
        if self._task is not None and not self._task.done():
            self._stopped = status
            self._task.cancel()

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Input matters to SFTP and scp only; on a terminal a command is interrupted by it."""
        if self._takes_input or self._task is None:
            super().data_received(data, datatype)
        elif self._terminal and (b"\x03" in data or b"\x04" in data):
            self.stop(_SIGINT)

    def signal_received(self, signal: str) -> None:
        """Any signal ends the work."""
        self.stop(_SIGINT)

    def break_received(self, msec: int) -> bool:
        """Nothing to break."""
        return False

    def soft_eof_received(self) -> None:
        """Commands read no input."""

    def terminal_size_changed(self, width: int, height: int, pixwidth: int, pixheight: int) -> None:
        """Lines are not wrapped here."""

    def connection_lost(self, exc: Exception | None) -> None:
        """The channel is closed."""
        super().connection_lost(exc)
        self.stop(_SIGPIPE)
        self._ended()

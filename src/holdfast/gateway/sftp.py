"""SFTP (version 3, as OpenSSH speaks it) and scp over it: a tree that can be read and nothing else.

Whatever would change something is refused with "permission denied". Answers wait for the client to take them, reads are
bounded by what OpenSSH accepts in one packet, and while a file is read in order the next part is decoded ahead.
"""

import asyncio
import contextlib
import logging
import traceback
from collections.abc import AsyncIterator, Awaitable
from typing import Any, NoReturn, TypeVar

import asyncssh
from asyncssh.constants import FILEXFER_TYPE_DIRECTORY, FILEXFER_TYPE_REGULAR, FXF_READ, FXP_OPENDIR
from asyncssh.packet import SSHPacket
from asyncssh.sftp import SFTPServerHandler

from holdfast.gateway.files import FileFacts, Files
from holdfast.gateway.tree import LogFile, Root, StreamFolder, normalised, place_of
from holdfast.kernel.errors import ConflictError, HoldfastError, RefusedError
from holdfast.kernel.names import Form, Stream

_log = logging.getLogger("holdfast.gateway.sftp")

READ_LIMIT = 261_120
"""Bytes of one answer: 256 KiB less 1 KiB is the most that OpenSSH's client accepts."""
_FOLDER_MODE, _FILE_MODE = 0o040555, 0o100444
_READ_ONLY = FXF_READ
_NOT_HERE = (b"copy-data", b"ranges@asyncssh.com")

T = TypeVar("T")


class OpenFile:
    """A file handle."""

    def __init__(self, place: LogFile) -> None:
        self.place = place
        self.ahead_from = 0
        self.ahead: asyncio.Task[None] | None = None


class ReadOnlyServer(asyncssh.SFTPServer):
    """The tree of one connection."""

    def __init__(self, chan: "asyncssh.SSHServerChannel[bytes]", files: Files) -> None:
        super().__init__(chan)
        self._files = files

    async def stat(self, path: bytes) -> asyncssh.SFTPAttrs:
        """Attributes; there are no links to follow."""
        return await self._answer(self._stat(path))

    lstat = stat

    async def fstat(self, file_obj: object) -> asyncssh.SFTPAttrs:
        """Attributes of an open file, as it has grown."""
        assert isinstance(file_obj, OpenFile)
        facts = await self._answer(self._files.facts(file_obj.place))
        if facts is None:
            raise asyncssh.SFTPNoSuchFile("no such file")
        return _file(facts)

    async def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        """A file handle, for reading only."""
        if pflags != _READ_ONLY:
            _denied()
        place = place_of(path)
        if not isinstance(place, LogFile):
            raise asyncssh.SFTPNoSuchFile("no such file")
        if await self._answer(self._facts(place)) is None:
            raise asyncssh.SFTPNoSuchFile("no such file")
        return OpenFile(place)

    async def read(self, file_obj: object, offset: int, size: int) -> bytes:
        """Bytes at an offset; none at the end."""
        assert isinstance(file_obj, OpenFile)
        size = min(size, READ_LIMIT)
        data = self._files.ready(file_obj.place, offset, size)
        if data is None:
            data = await self._answer(self._files.read(file_obj.place, offset, size))
        if data and offset >= file_obj.ahead_from and (file_obj.ahead is None or file_obj.ahead.done()):
            file_obj.ahead = asyncio.get_running_loop().create_task(self._read_ahead(file_obj, offset))
        return data

    async def _read_ahead(self, file: OpenFile, offset: int) -> None:
        following = await self._files.ahead(file.place, offset)
        if following is not None:
            file.ahead_from = following

    async def close(self, file_obj: object) -> None:
        """Let go of a handle."""
        assert isinstance(file_obj, OpenFile)
        if file_obj.ahead is not None:
            file_obj.ahead.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await file_obj.ahead
        await self._files.rest(file_obj.place)

    async def folder(self, path: bytes) -> Root | StreamFolder:
        """The folder a path stands for, checked to be there."""
        place = place_of(path)
        await self._answer(self._stat(path))
        if not isinstance(place, Root | StreamFolder):
            raise asyncssh.SFTPFailure("not a directory")
        return place

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        """The names in a folder."""
        place = await self.folder(path)
        for name in (b".", b".."):
            yield asyncssh.SFTPName(name, attrs=_folder())
        if isinstance(place, StreamFolder):
            for facts in await self._answer(self._files.listing(place)):
                yield asyncssh.SFTPName(facts.name.encode(), attrs=_file(facts))
            return
        readable = await self._answer(self._files.readable())
        for stream in readable:
            if place.form in readable[stream]:
                yield asyncssh.SFTPName(stream.value.encode(), attrs=_folder())
        if place.form is Form.PSEUDONYM and any(Form.CLEAR in forms for forms in readable.values()):
            yield asyncssh.SFTPName(b"clear", attrs=_folder())

    def realpath(self, path: bytes) -> bytes:
        """The path from the top."""
        text = normalised(path)
        if text is None:
            raise asyncssh.SFTPNoSuchFile("no such file")
        return text.encode()

    def statvfs(self, path: bytes) -> asyncssh.SFTPVFSAttrs:
        """A file system without room."""
        return asyncssh.SFTPVFSAttrs(
            bsize=4096,
            frsize=4096,
            blocks=0,
            bfree=0,
            bavail=0,
            files=0,
            ffree=0,
            favail=0,
            fsid=0,
            flags=1,
            namemax=255,
        )

    def fstatvfs(self, file_obj: object) -> asyncssh.SFTPVFSAttrs:
        """The same."""
        return self.statvfs(b"/")

    async def _stat(self, path: bytes) -> asyncssh.SFTPAttrs:
        place = place_of(path)
        if place is not None:
            readable = await self._files.readable()
            if isinstance(place, Root):
                if place.form is Form.PSEUDONYM or any(Form.CLEAR in forms for forms in readable.values()):
                    return _folder()
            elif place.form in readable.get(place.stream, frozenset()):
                if isinstance(place, StreamFolder):
                    return _folder()
                facts = await self._files.facts(place)
                if facts is not None:
                    return _file(facts)
        raise asyncssh.SFTPNoSuchFile("no such file")

    async def _facts(self, place: LogFile) -> FileFacts | None:
        readable: dict[Stream, frozenset[Form]] = await self._files.readable()
        return await self._files.facts(place) if place.form in readable.get(place.stream, frozenset()) else None

    async def _answer(self, work: Awaitable[T]) -> T:
        """The result; errors in SFTP's own terms, which say nothing that was in a line."""
        try:
            return await work
        except RefusedError as error:
            raise asyncssh.SFTPPermissionDenied(f"permission denied: {error.message}") from None
        except ConflictError as error:
            if error.code == "file-missing":
                raise asyncssh.SFTPNoSuchFile("no such file") from None
            raise asyncssh.SFTPFailure(error.message) from None
        except HoldfastError as error:
            _log.warning("a read failed: %s", error)
            raise asyncssh.SFTPFailure(error.message) from None
        except (asyncssh.Error, OSError):
            raise
        except Exception as error:
            places = "".join(traceback.format_tb(error.__traceback__))
            _log.error("unexpected %s in SFTP\n%s", type(error).__name__, places)
            raise asyncssh.SFTPFailure("something unexpected happened") from None

    def _refuse(self, *_: object) -> NoReturn:
        _denied()

    _refused: Any = _refuse
    open56 = write = setstat = lsetstat = fsetstat = remove = mkdir = rmdir = rename = posix_rename = _refused
    symlink = link = fsync = lock = unlock = _refused

    def readlink(self, path: bytes) -> bytes:
        """There are no links."""
        raise asyncssh.SFTPFailure("not a link")


class ReadOnlyHandler(SFTPServerHandler):
    """The protocol around it: fewer extensions, bounded handles, answers at the client's pace, an exit status."""

    _extensions = [pair for pair in SFTPServerHandler._extensions if pair[0] not in _NOT_HERE]  # noqa: RUF012

    def __init__(self, server: ReadOnlyServer, reader: Any, writer: Any, handles: int) -> None:
        super().__init__(server, reader, writer, 3)
        self._tree = server
        self._limit = handles

    def _get_next_handle(self) -> bytes:
        if len(self._file_handles) + len(self._dir_handles) >= self._limit:
            raise asyncssh.SFTPFailure("too many files are open")
        return super()._get_next_handle()

    async def _process_opendir(self, packet: SSHPacket) -> bytes:
        path = packet.get_string()
        packet.check_end()
        await self._tree.folder(path)
        handle = self._get_next_handle()
        self._dir_handles[handle] = self._tree.scandir(path)
        return handle

    async def _process_packet(self, pkttype: int, pktid: int, packet: SSHPacket) -> None:
        await super()._process_packet(pkttype, pktid, packet)
        if self._writer is not None:
            await self._writer.drain()

    async def _cleanup(self, exc: Exception | None) -> None:
        if self._writer is not None:
            # An exit status: scp and sftp take a channel that closes without one for a failure.
            with contextlib.suppress(OSError):
                self._writer.channel.exit(0)  # type: ignore[attr-defined]  # it is a server's
        await super()._cleanup(exc)

    _packet_handlers: Any = {  # noqa: RUF012
        **{kind: handler for kind, handler in SFTPServerHandler._packet_handlers.items() if kind not in _NOT_HERE},
        FXP_OPENDIR: _process_opendir,
    }


def _denied() -> NoReturn:
    raise asyncssh.SFTPPermissionDenied("permission denied: everything here is read-only")


def _folder() -> asyncssh.SFTPAttrs:
    return asyncssh.SFTPAttrs(
        type=FILEXFER_TYPE_DIRECTORY, size=0, uid=0, gid=0, permissions=_FOLDER_MODE, atime=0, mtime=0, nlink=2
    )


def _file(facts: FileFacts) -> asyncssh.SFTPAttrs:
    return asyncssh.SFTPAttrs(
        type=FILEXFER_TYPE_REGULAR,
        size=facts.size,
        uid=0,
        gid=0,
        permissions=_FILE_MODE,
        atime=facts.mtime,
        mtime=facts.mtime,
        nlink=1,
    )

"""A web server in an event loop that is not its own."""

import asyncio
import socket
from typing import Any

import pytest

from holdfast.drivers.webserver import WebServer
from holdfast.kernel.errors import ConfigurationError


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    """An application that never answers."""


def test_an_address_that_is_taken_is_the_operators_to_mend_and_ends_no_process() -> None:
    async def work(port: int) -> None:
        server = WebServer(nothing, "127.0.0.1", port)
        await server.listening(asyncio.create_task(server.serve()))

    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ConfigurationError, match="address-taken"):
        asyncio.run(work(taken.getsockname()[1]))


def test_a_server_listens_until_it_is_told_to_stop() -> None:
    async def work() -> None:
        server = WebServer(nothing, "127.0.0.1", 0)
        serving = asyncio.create_task(server.serve())
        await server.listening(serving)
        port = server.servers[0].sockets[0].getsockname()[1]
        socket.create_connection(("127.0.0.1", port)).close()
        server.should_exit = True
        await serving
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))

    asyncio.run(work())

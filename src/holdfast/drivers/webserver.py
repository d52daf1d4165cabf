"""uvicorn inside a process's own event loop: quiet, without signal handlers, its failure to listen an error of ours."""

import asyncio
import socket
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import uvicorn

from holdfast.kernel.errors import ConfigurationError


class WebServer(uvicorn.Server):
    """`await serve()` it as a task; set `should_exit` to stop it.

    With port 0 the system chooses: after `listening`, `servers[0].sockets[0].getsockname()` says which.
    """

    def __init__(self, application: Any, host: str, port: int, **options: Any) -> None:
        """`options` are uvicorn's: limits, for what says too much or too little."""
        super().__init__(
            uvicorn.Config(
                application,
                host=host,
                port=port,
                ws="none",
                lifespan="off",
                loop="none",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                **options,
            )
        )

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        """None: the process has its own."""
        return nullcontext()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen. ConfigurationError `address-taken` where uvicorn would end the process."""
        try:
            await super().startup(sockets)
        except SystemExit:
            place = f"{self.config.host} {self.config.port}"
            raise ConfigurationError("address-taken", "a listener cannot be had", place=place) from None

    async def listening(self, serving: "asyncio.Task[None]") -> None:
        """Returns once the task that serves listens; raises what kept it from that."""
        while not self.started:
            if serving.done():
                serving.result()
                return
            await asyncio.sleep(0.01)  # uvicorn sets a flag, no event

"""The console process: Django's ASGI application, served by uvicorn inside our own event loop."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import uvicorn
from django.core.asgi import get_asgi_application

CONNECTIONS = 200
HEAD_BYTES = 16 << 10
IDLE_SECONDS = 30
STOP_SECONDS = 5


class _Server(uvicorn.Server):
    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        return nullcontext()  # the process has its own


async def serve(place: tuple[str, int], ready: Callable[[], None], stop: asyncio.Event) -> None:
    """Serve until `stop` is set."""
    server = _Server(
        uvicorn.Config(
            get_asgi_application(),
            host=place[0],
            port=place[1],
            http="h11",
            ws="none",
            lifespan="off",
            loop="none",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            limit_concurrency=CONNECTIONS,
            timeout_keep_alive=IDLE_SECONDS,
            timeout_graceful_shutdown=STOP_SECONDS,
            h11_max_incomplete_event_size=HEAD_BYTES,
        )
    )
    serving = asyncio.create_task(server.serve())
    while not (server.started or serving.done()):  # noqa: ASYNC110 - uvicorn sets a flag, no event
        await asyncio.sleep(0.01)
    if server.started:
        ready()
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    server.should_exit = True
    await serving

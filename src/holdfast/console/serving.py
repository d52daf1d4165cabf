"""The console process: Django's ASGI application, served by uvicorn inside our own event loop."""

import asyncio
from collections.abc import Callable

from django.core.asgi import get_asgi_application

from holdfast.drivers.webserver import WebServer

CONNECTIONS = 200
HEAD_BYTES = 16 << 10
IDLE_SECONDS = 30
STOP_SECONDS = 5


async def serve(place: tuple[str, int], ready: Callable[[], None], stop: asyncio.Event) -> None:
    """Serve until `stop` is set."""
    server = WebServer(
        get_asgi_application(),
        *place,
        http="h11",
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
        h11_max_incomplete_event_size=HEAD_BYTES,
    )
    serving = asyncio.create_task(server.serve())
    await server.listening(serving)
    ready()
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    server.should_exit = True
    await serving

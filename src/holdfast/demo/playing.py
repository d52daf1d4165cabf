"""The demo's live stream: a burst when the demo is new, then a few lines a second, up to a limit."""

import asyncio
import logging
import time
from collections.abc import Callable

from holdfast.demo.filing import ApplicationLog, keep_sending
from holdfast.demo.folder import DemoFolder
from holdfast.demo.hosts import Speaking, hosts
from holdfast.demo.platform import Platform
from holdfast.demo.sending import SyslogSender

MOST_LINES = 200_000
MOST_SECONDS = 3600.0
TICK_SECONDS = 0.25

log = logging.getLogger("holdfast.demo")


class Playing:
    """All hosts together."""

    def __init__(self, platform: Platform) -> None:
        self._folder = DemoFolder(platform.home)
        self._node = platform.nodes["n1"]
        self._application = ApplicationLog(self._folder)
        self._away = False
        self._hosts = [(Speaking(host), SyslogSender(host, platform.nodes[host.node].syslog)) for host in hosts()]

    async def run(self, ready: Callable[[], None], stop: asyncio.Event) -> None:
        """Play until `stop`. Ready once the first lines are sent."""
        sending = asyncio.create_task(keep_sending(self._folder, self._node))
        stopped = asyncio.create_task(stop.wait())
        playing = asyncio.create_task(self._play(ready))
        try:
            done, _ = await asyncio.wait({sending, stopped, playing}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            if playing in done:  # the limit; everything stays up to be looked at
                await stop.wait()
        finally:
            for task in (playing, sending, stopped):
                task.cancel()
            await asyncio.wait({playing, sending, stopped})
            for _, sender in self._hosts:
                await sender.close()

    async def _play(self, ready: Callable[[], None]) -> None:
        if self._folder.new:
            self._application.burst()
            await asyncio.gather(*(sender.send(speaking.burst()) for speaking, sender in self._hosts))
            self._folder.begun()
        log.info("logs come in", extra={"fields": {"lines": self._sent(), "hosts": len(self._hosts)}})
        ready()
        began = last = time.monotonic()
        while self._sent() < MOST_LINES and last - began < MOST_SECONDS:
            await asyncio.sleep(TICK_SECONDS)
            now = time.monotonic()
            seconds, last = min(now - last, 1.0), now  # a machine that slept does not catch up
            self._application.passed(seconds)
            await asyncio.gather(*(sender.send(speaking.passed(seconds)) for speaking, sender in self._hosts))
            self._tell_away()
        log.info(
            "no more new lines: the demo stops its stream here; start it again for more",
            extra={"fields": {"lines": self._sent(), "seconds": int(last - began)}},
        )

    def _sent(self) -> int:
        return self._application.sent + sum(sender.sent for _, sender in self._hosts)

    def _tell_away(self) -> None:
        """Say once per outage that lines are lost."""
        away = any(sender.away for _, sender in self._hosts)
        if away and not self._away:
            log.warning("a node is away: what hosts say over plain syslog meanwhile is lost")
        elif self._away and not away:
            lost = sum(sender.lost for _, sender in self._hosts)
            log.info("all hosts send again", extra={"fields": {"lost": lost}})
        self._away = away

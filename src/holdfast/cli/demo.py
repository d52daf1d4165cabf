"""`holdfast demo`: the hosts of the sample platform, as `holdfast up --demo` runs them; and what `up` does for it.

Order at `up --demo`: home made if there is none → register, people's keys and token made, with a keeper of our own →
everything started → `holdfast demo` plays → the commands worth typing are shown.
"""

import argparse
import asyncio
import shutil
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from rich.text import Text

from holdfast.demo.commands import Suggestion, suggestions
from holdfast.demo.folder import DemoFolder
from holdfast.demo.platform import INSTALLATION, PORTS, DemoNode, Platform, settings_text
from holdfast.demo.playing import Playing
from holdfast.drivers.clock import SystemClock
from holdfast.drivers.randomness import SystemRandomness
from holdfast.kernel.errors import ConfigurationError
from holdfast.kernel.instants import day_of
from holdfast.kernel.names import NodeName
from holdfast.wiring.configuration import NodeSettings, Settings
from holdfast.wiring.eventlines import EventLines
from holdfast.wiring.home import Home, default_root
from holdfast.wiring.initialising import initialise
from holdfast.wiring.nodekeys import make_node_keys
from holdfast.wiring.processes import Serve, run_process
from holdfast.wiring.vaults import operator_keeper

GUEST = ("demo",)
"""The command that `up` runs beside the processes of the platform."""


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Say what `holdfast demo` takes."""
    parser = subparsers.add_parser(
        "demo",
        help="what `up --demo` runs: the sample platform",
        description="Play the hosts of two customers on a home that `holdfast up --demo` made, while it runs.",
    )
    parser.add_argument("--home", type=Path, default=default_root())
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Play until told to stop."""
    return run_process(Home.at(args.home), "demo", _playing)


def prepare(home: Home) -> Settings:
    """Make whatever of the demo is not there yet; again changes nothing. The settings.

    ConfigurationError `not-a-demo` for a home that was made for something else: the demo's register would replace its
    own.
    """
    if not home.settings_file.exists():
        initialise(home, text=settings_text(_free_ports()))
    settings = home.open()
    if settings.installation != INSTALLATION:
        raise ConfigurationError(
            "not-a-demo", "this home is not a demo's; say another with --home", path=str(home.root)
        )
    make_node_keys(home, settings, SystemRandomness())
    folder = DemoFolder(home.root)
    if not folder.whole:
        with operator_keeper(home) as keeper:
            folder.make(keeper.apply, keeper.new_token)
    folder.refresh(_platform(home, settings))
    return settings


class DemoLines(EventLines):
    """Event lines, and once the demo plays, what to type."""

    def __init__(self, home: Home, settings: Settings, *, json_lines: bool) -> None:
        super().__init__(json_lines=json_lines)
        self._to_say = suggestions(_platform(home, settings), _program(), day_of(SystemClock().now()))

    def event(self, process: str, event: str, level: str = "info", **fields: str | int | float) -> None:
        """Something happened to a process."""
        super().event(process, event, level, **fields)
        if (process, event) == ("demo", "ready"):
            for one in self._to_say:
                self._suggest(one)
            self._to_say = []

    def _suggest(self, one: Suggestion) -> None:
        if not self.on_terminal:
            super().event("demo", "try", name=one.name, shows=one.shows, command=one.command)
            return
        if one.part:
            self.say(Text(one.part, "bold"))
        self.say(Text.assemble((f"  # {one.shows}\n", "dim"), f"  {one.command}\n"))


def _playing(home: Home, settings: Settings) -> Serve:
    playing = Playing(_platform(home, settings))

    async def serving(ready: Callable[[], None], stop: asyncio.Event) -> None:
        await playing.run(ready, stop)

    return serving


def _platform(home: Home, settings: Settings) -> Platform:
    nodes = {name: _node(home, NodeName(name), own) for name, own in settings.nodes.items()}
    return Platform(home.root, settings.gateway.place, home.known_hosts, nodes)


def _node(home: Home, name: NodeName, settings: NodeSettings) -> DemoNode:
    log, promises = (home.vkey(which).read_text().strip() for which in (name, f"{name}-promise"))
    return DemoNode(settings.syslog.place, f"http://{settings.http}", log, promises)


def _free_ports() -> dict[str, int]:
    """The demo's ports; of those that somebody else listens on, the next that is free."""
    taken: set[int] = set()
    ports: dict[str, int] = {}
    for name, port in PORTS.items():
        while port in taken or not _is_free(port):
            port += 1
        taken.add(port)
        ports[name] = port
    return ports


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _program() -> list[str]:
    """How this command was called, in words, so that it can be typed from the same folder."""
    called = sys.argv[0]
    name = Path(called).name
    if name != "holdfast":
        return [sys.executable, "-m", "holdfast"]
    found = shutil.which(name)
    return [name if found and Path(found).samefile(called) else called]

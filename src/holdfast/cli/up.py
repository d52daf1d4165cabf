"""`holdfast up`: run everything on this machine."""

import argparse
import asyncio
from collections.abc import Callable
from pathlib import Path

from rich.text import Text

from holdfast.drivers.randomness import SystemRandomness
from holdfast.wiring.configuration import Settings
from holdfast.wiring.eventlines import EventLines
from holdfast.wiring.home import Home, default_root
from holdfast.wiring.nodekeys import make_node_keys
from holdfast.wiring.supervising import Supervisor, processes


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Say what `holdfast up` takes."""
    parser = subparsers.add_parser(
        "up",
        help="run everything on this machine",
        description="Run keeper, nodes, gateway and console until Ctrl-C. One line per event; JSON lines in a pipe.",
    )
    parser.add_argument("--home", type=Path, default=default_root())
    parser.add_argument("--demo", action="store_true", help="fill it with real sample logs; makes the home if needed")
    parser.add_argument("--json", action="store_true", help="JSON lines on a terminal too")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run until told to stop."""
    home, lines = Home.at(args.home), EventLines(json_lines=args.json)
    guests = []
    if args.demo:
        from holdfast.cli import demo  # loads the sample platform, which nothing else needs

        settings, guests = demo.prepare(home), [demo.GUEST]
        lines = demo.DemoLines(home, settings, json_lines=args.json)
    else:
        settings = home.open()
        make_node_keys(home, settings, SystemRandomness())
    specs = processes(home, settings, guests)
    return asyncio.run(Supervisor(home, specs, lines, _when_ready(settings, lines)).run())


def _when_ready(settings: Settings, lines: EventLines) -> Callable[[], None]:
    def say() -> None:
        addresses = {name: str(listener) for name, listener in settings.listeners()}
        lines.event("up", "ready", **({} if lines.on_terminal else addresses))
        for name, address in addresses.items():
            where = (f"http://{address}/", "underline") if name == "console" else address
            lines.say(Text.assemble((f"  {name.removeprefix('nodes.'):<9} ", "dim"), where))

    return say

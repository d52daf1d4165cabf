"""`holdfast status`: how the processes stand, and what they hold."""

import argparse
import json
import time
from pathlib import Path
from typing import Any

from holdfast.drivers.keeperclient import KeeperClient
from holdfast.drivers.locking import is_held
from holdfast.drivers.logstanding import log_standing
from holdfast.drivers.operatorkeeper import OperatorKeeper
from holdfast.drivers.standing import read_standing
from holdfast.kernel.errors import BusyError
from holdfast.wiring.configuration import Settings
from holdfast.wiring.home import Home, default_root

KEEPER_SECONDS = 5.0


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Say what `holdfast status` takes."""
    parser = subparsers.add_parser(
        "status",
        help="how the processes and what they hold stand",
        description="Exit status 1 if a process is not ready or the keeper does not answer.",
    )
    parser.add_argument("--home", type=Path, default=default_root())
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 if everything runs, 1 if something does not."""
    home = Home.at(args.home)
    said = _standing(home, home.open())
    print(json.dumps(said)) if args.json else _say(said)
    return 0 if said["well"] else 1


def _standing(home: Home, settings: Settings) -> dict[str, Any]:
    up = is_held(home.lock("up"))
    processes = read_standing(home.standing) if up else []
    try:
        held = OperatorKeeper(KeeperClient(home.socket("operator"), timeout_seconds=KEEPER_SECONDS)).status()
    except BusyError:
        held = {}
    logs = {name: log_standing(home.log(name)) for name in settings.node_names()}
    return {
        "home": str(home.root),
        "up": up,
        "well": bool(held) and all(one.state == "ready" for one in processes),
        "processes": [one.value() for one in processes],
        "keeper": held,
        "logs": {name: None if log is None else log.value() for name, log in logs.items()},
    }


def _say(said: dict[str, Any]) -> None:
    if not said["up"]:
        print("`holdfast up` does not run on this home")
    for one in said["processes"]:
        since = int(time.time()) - one["since"]
        restarts = f", restarted {one['restarts']} times" if one["restarts"] else ""
        print(f"{one['name']:<10} {one['state']} for {since} s{restarts}")
    for name, log in said["logs"].items():
        print(f"log {name:<6} " + (f"{log['size']:,} entries, {log['age_seconds']} s ago" if log else "none yet"))
    if said["keeper"]:
        for name, value in said["keeper"].items():
            print(f"{name.replace('_', ' '):<18} {f'{value:,}' if isinstance(value, int) else value}")
    else:
        print("the keeper does not answer")

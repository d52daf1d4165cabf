"""`holdfast apply`: make the register equal to a document (docs/register.md). The keeper must be running."""

import argparse
import json
import tomllib
from pathlib import Path
from typing import Any

from holdfast.drivers.keeperclient import KeeperClient
from holdfast.drivers.operatorkeeper import OperatorKeeper
from holdfast.kernel.errors import MalformedError
from holdfast.wiring.home import Home, default_root

LIMIT = 16 << 20


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Say what `holdfast apply` takes."""
    parser = subparsers.add_parser(
        "apply",
        help="make the register equal to a document",
        description="Customers, environments, people, teams, streams: docs/register.md. Again changes nothing.",
    )
    parser.add_argument("file", type=Path, metavar="FILE.toml")
    parser.add_argument("--home", type=Path, default=default_root())
    parser.add_argument("--json", action="store_true", help="what changed, as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Apply it and say what changed."""
    home = Home.at(args.home)
    home.open()
    said = OperatorKeeper(KeeperClient(home.socket("operator"))).apply(_document(args.file))
    if args.json:
        print(json.dumps(said))
        return 0
    changes = said.get("changes", [])
    for change in changes:
        print(f"{change['change']:<8} {change['what']} {change['name']}")
    print(f"register version {said.get('version')}: {len(changes)} changes")
    return 0


def _document(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(LIMIT + 1)
        if len(data) > LIMIT:
            raise MalformedError("register-file", "the document is too large", limit=LIMIT)
        return tomllib.loads(data.decode())
    except OSError as error:
        raise MalformedError("register-file", "the document cannot be read", cause=error.strerror or "") from None
    except UnicodeDecodeError:
        raise MalformedError("register-file", "the document is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        where = str(error).partition("(")[2].removesuffix(")") or "somewhere"
        raise MalformedError("register-file", "the document is not TOML", where=where) from None

"""`holdfast init`: a home, whole or not at all.

It is made in a hidden folder beside its place, synced, and renamed there. The rename is the one write that makes it
true; a crash before leaves the hidden folder, which holds no key that was ever used and may be deleted.
"""

import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

from holdfast.drivers.clock import SystemClock
from holdfast.drivers.durable import sync_folder, write_private
from holdfast.drivers.randomness import SystemRandomness
from holdfast.formats.checkpoints import origin_name
from holdfast.kernel.errors import ConfigurationError, ConflictError
from holdfast.kernel.names import Installation
from holdfast.vault.ports import Randomness
from holdfast.wiring.configuration import GatewayListener, HttpListener, Settings, SyslogListener
from holdfast.wiring.home import Home
from holdfast.wiring.keyfiles import make_host_key, make_signing_key
from holdfast.wiring.nodekeys import make_node_keys
from holdfast.wiring.reading import read_settings
from holdfast.wiring.settings import prepare_keeper

INSTALLATION = "holdfast.localhost"
NODES: Mapping[str, str] = {"n1": "local/local"}


def initialise(
    home: Home, installation: str = INSTALLATION, nodes: Mapping[str, str] = NODES, text: str | None = None
) -> None:
    """Make the home: settings, keys, database, one node per entry of `nodes` (name → vendor/region). `text` is a whole
    holdfast.toml to take in place of one made from installation and nodes.

    ConflictError `home-exists` if something is there already (an empty folder is not something); ConfigurationError
    `setting` if a name is none.
    """
    if os.path.lexists(home.root) and not _is_empty(home.root):
        raise ConflictError("home-exists", "there is something here already", path=str(home.root))
    made = home.root.with_name(f".{home.root.name}.{secrets.token_hex(4)}.new")
    try:
        made.mkdir(mode=0o700, parents=True)
        _fill(Home(made), settings_text(installation, nodes) if text is None else text)
        _sync(made)
        # rename(2) puts a folder in the place of an empty one, and of nothing else.
        made.rename(home.root)
        sync_folder(home.root.parent)
    except OSError as error:
        raise ConfigurationError(
            "home", "the home cannot be made", path=str(home.root), cause=error.strerror or type(error).__name__
        ) from None
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _fill(home: Home, text: str) -> None:
    randomness = SystemRandomness()
    home.settings_file.write_text(text)
    settings = read_settings(home.settings_file, {})
    for folder in (home.keys, home.run, home.vkeys):
        folder.mkdir(mode=0o700)
    _make_keys(home, settings, randomness)
    host_key = make_host_key(home.gateway_host_key, randomness)
    home.known_hosts.write_text(f"{settings.installation} {host_key}\n")
    prepare_keeper()
    from holdfast.keeper.initialising import initialise as begin_keeper  # Django's models, loaded once it is set up
    from holdfast.keeper.paths import KeeperPaths

    token = begin_keeper(
        KeeperPaths.under(home.root), Installation(settings.installation), clock=SystemClock(), randomness=randomness
    )
    write_private(home.recorder_token, token.reveal() + b"\n")


def _make_keys(home: Home, settings: Settings, randomness: Randomness) -> None:
    installation = Installation(settings.installation)
    vkey = make_signing_key(home.keeper_signing, origin_name(installation, "keeper"), randomness)
    home.vkey("keeper").write_text(f"{vkey}\n")
    make_node_keys(home, settings, randomness)
    write_private(home.console_secret, randomness.bytes(32).hex().encode() + b"\n")


def settings_text(installation: str, nodes: Mapping[str, str]) -> str:
    """A holdfast.toml that says little: defaults are in docs/settings.md."""
    lines = [
        "# docs/settings.md lists every setting. A HOLDFAST_... variable wins over this file.",
        f"installation = {_quoted(installation)}",
        "",
        f"[gateway]\nport = {GatewayListener().port}",
    ]
    # A second node needs ports of its own; they are spaced so that each is told from its number.
    for index, (name, hosting) in enumerate(nodes.items()):
        lines += [
            "",
            f"[nodes.{_quoted(name)}]" if not name.isidentifier() else f"[nodes.{name}]",
            f"hosting = {_quoted(hosting)}",
            f"syslog.port = {SyslogListener().port + index}",
            f"http.port = {HttpListener().port + index}",
        ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A TOML basic string; what a name may not hold is refused when the text is read."""
    return '"' + "".join(char if char.isprintable() and char not in '"\\' else "?" for char in text) + '"'


def _is_empty(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and next(path.iterdir(), None) is None


def _sync(root: Path) -> None:
    """Every file and folder below, and the folder itself, onto the disk."""
    for folder, _, files in os.walk(root, topdown=False):
        for name in files:
            with (Path(folder) / name).open("rb") as file:
                os.fsync(file.fileno())
        sync_folder(Path(folder))

"""A home: where each file of an installation lies on this machine."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from holdfast.kernel.names import NodeName
from holdfast.kernel.segments import Hosting
from holdfast.wiring.configuration import Settings, store_name
from holdfast.wiring.permissions import check_permissions
from holdfast.wiring.reading import read_settings


def default_root(environ: Mapping[str, str] | None = None) -> Path:
    """`$HOLDFAST_HOME`, or `.holdfast` in the person's own home."""
    named = (os.environ if environ is None else environ).get("HOLDFAST_HOME")
    return Path(named) if named else Path.home() / ".holdfast"


@dataclass(frozen=True, slots=True)
class Home:
    """The folder and what is in it. Made absolute by `at`."""

    root: Path

    @classmethod
    def at(cls, root: Path) -> "Home":
        """The home in a folder, which need not be there yet."""
        return cls(Path(os.path.abspath(root)))  # noqa: PTH100 - `resolve` would follow a link

    @property
    def settings_file(self) -> Path:
        """holdfast.toml."""
        return self.root / "holdfast.toml"

    @property
    def keys(self) -> Path:
        """The folder of keys: 0700, each file 0600."""
        return self.root / "keys"

    @property
    def keeper_signing(self) -> Path:
        """The key of the keeper's own log."""
        return self.keys / "keeper.signing"

    @property
    def recorder_token(self) -> Path:
        """The token by which the gateway records connections."""
        return self.keys / "recorder.token"

    @property
    def gateway_host_key(self) -> Path:
        """The gateway's SSH host key, as OpenSSH writes it."""
        return self.keys / "gateway_host_key"

    @property
    def console_secret(self) -> Path:
        """Django's SECRET_KEY."""
        return self.keys / "console.secret"

    @property
    def known_hosts(self) -> Path:
        """The gateway's public host key under the installation's name, for `ssh -o HostKeyAlias=<installation>`."""
        return self.root / "known_hosts"

    @property
    def epochs(self) -> Path:
        """The keeper's epoch keys."""
        return self.root / "keeper" / "epochs"

    @property
    def keeper_log(self) -> Path:
        """The keeper's own log, as tiles."""
        return self.root / "keeper" / "log"

    @property
    def vkeys(self) -> Path:
        """Public verifier keys of the logs and promises of this machine: for `holdfast check --key`."""
        return self.root / "vkeys"

    def vkey(self, log: str) -> Path:
        """The verifier key of a node's log (`n1`), of its promises (`n1-promise`), of the keeper's log (`keeper`)."""
        return self.vkeys / f"{log}.vkey"

    @property
    def run(self) -> Path:
        """Sockets, locks and the standing of processes."""
        return self.root / "run"

    def socket(self, role: str) -> Path:
        """The keeper's socket for a role: node, gateway, console or operator."""
        return self.run / f"keeper-{role}.sock"

    @property
    def standing(self) -> Path:
        """What `holdfast up` knows of its processes."""
        return self.run / "standing.json"

    def lock(self, process: str) -> Path:
        """The file a process locks while it runs, so that there is one of it."""
        return self.run / f"{process}.lock"

    def node_signing(self, node: NodeName) -> Path:
        """The key of a node's log."""
        return self.keys / f"node-{node}.signing"

    def node_promise(self, node: NodeName) -> Path:
        """The key a node signs promises with."""
        return self.keys / f"node-{node}.promise"

    def node(self, node: NodeName) -> Path:
        """A node's own folder."""
        return self.root / "nodes" / node

    def journal(self, node: NodeName) -> Path:
        """A node's journal files."""
        return self.node(node) / "journal"

    def log(self, node: NodeName) -> Path:
        """A node's log, as tiles."""
        return self.node(node) / "log"

    def ledger(self, node: NodeName) -> Path:
        """A node's ledger."""
        return self.node(node) / "ledger"

    def store(self, settings: Settings, hosting: Hosting) -> Path:
        """Where segments of a hosting rest."""
        name = store_name(hosting)
        return self.root / settings.stores.get(name, f"stores/{name}")

    def stores(self, settings: Settings) -> dict[str, Path]:
        """Every store of this machine by its name (`aws-eu-west-1`): those of its nodes and those that are set."""
        found = {store_name(node.place): self.store(settings, node.place) for node in settings.nodes.values()}
        return found | {name: self.root / path for name, path in settings.stores.items()}

    def open(self) -> Settings:
        """The settings, once nobody else may touch the home.

        ConfigurationError for a missing home, a wrong setting, or loose permissions.
        """
        settings = read_settings(self.settings_file)
        check_permissions(self.root, self.keys, self.run, self.epochs)
        return settings

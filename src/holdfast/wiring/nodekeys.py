"""The keys of a machine's nodes: made once, before a node's first line.

A node that is new in the settings gets its keys when it, or `up`, is next started. One that has a log and lost its key
does not: a log's key never changes, so the key is restored or the node is given up for one of a new name.
"""

from holdfast.formats.checkpoints import origin_name
from holdfast.kernel.errors import ConfigurationError
from holdfast.kernel.names import Installation, NodeName
from holdfast.vault.ports import Randomness
from holdfast.wiring.configuration import Settings
from holdfast.wiring.home import Home
from holdfast.wiring.keyfiles import make_signing_key


def promise_key_name(installation: Installation, node: NodeName) -> str:
    """The name a node's promises are signed under (formats.promises)."""
    return f"{installation}/{node}/promise"


def make_node_keys(home: Home, settings: Settings, randomness: Randomness) -> None:
    """Make the signing and promise keys that nodes lack, with their verifier keys beside.

    ConfigurationError `node-key-lost` if a node has a log and no key for it.
    """
    installation = Installation(settings.installation)
    for node in settings.node_names():
        for file, name, public in (
            (home.node_promise(node), promise_key_name(installation, node), home.vkey(f"{node}-promise")),
            (home.node_signing(node), origin_name(installation, node), home.vkey(node)),
        ):
            if file.exists():
                continue
            if home.log(node).exists():
                raise ConfigurationError("node-key-lost", "a node has a log and its key is gone", file=str(file))
            public.write_text(make_signing_key(file, name, randomness) + "\n")

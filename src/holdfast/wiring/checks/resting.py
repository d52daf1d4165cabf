"""Where lines rest: each segment and each open journal on the hosting of its environment."""

from holdfast.kernel.keys import KeyKind
from holdfast.kernel.names import UNCLAIMED
from holdfast.rules.evidence import Seen, contradicted, missing, observed
from holdfast.wiring.checks.view import View


def check(view: View) -> Seen:
    """Objects in the stores, and journals of nodes, against the register's hostings. That no store holds an object
    which is not in the catalogue is part of the recomputing."""
    catalogue = view.vault.catalogue()
    hostings = {place.name: place.hosting for place in view.vault.keeper.environments() if place.name != UNCLAIMED}
    nodes = {node.name: node.hosting for node in catalogue.nodes}
    stores, objects, journals, wrong = view.vault.stores(), 0, 0, 0
    for row in catalogue.segments:
        entry = row.entry
        hosting = hostings.get(entry.environment) or nodes.get(entry.node, "")
        store = stores.get(row.store)
        objects += 1
        wrong += row.store != hosting.replace("/", "-") or store is None or not store.exists(entry.name)
    for key in catalogue.keys.values():
        if (key.kind, key.state) == (KeyKind.JOURNAL, "active") and key.environment in hostings and key.node:
            journals += 1
            wrong += nodes.get(key.node) != hostings[key.environment]
    figures = {"segments": objects, "journals": journals, "stores": len(stores), "elsewhere": wrong}
    if wrong:
        return contradicted("lines rest elsewhere than on their environment's hosting", **figures)
    if not objects and not journals:
        return missing("no line of an environment is held yet", **figures)
    return observed("every segment and journal is on its environment's hosting", **figures)

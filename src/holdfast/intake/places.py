"""What a node knows of the register: which hosts and environments are its own, and the stream map. Kept fresh from
the keeper."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from holdfast.kernel.errors import MalformedError
from holdfast.kernel.names import UNCLAIMED, EnvironmentName
from holdfast.rules.streams import Rule


@dataclass(frozen=True, slots=True)
class Places:
    """The register as one node needs it. `hosts` holds only hosts of environments on this node's hosting."""

    environments: frozenset[EnvironmentName] = frozenset({UNCLAIMED})
    hosts: Mapping[str, EnvironmentName] = field(default_factory=dict)
    rules: Sequence[Rule] = ()


def places_of(host_map: Mapping[str, object], hosting: str) -> Places:
    """The keeper's host map, cut down to one hosting: a line of another hosting's environment is not taken as its
    own. MalformedError if it is not one."""
    environments, hosts, rules = host_map.get("environments"), host_map.get("hosts"), host_map.get("rules")
    if not (isinstance(environments, Mapping) and isinstance(hosts, Mapping) and isinstance(rules, Sequence)):
        raise MalformedError("reply", "the keeper's reply is not one")
    own = frozenset(EnvironmentName(name) for name, where in environments.items() if where == hosting) | {UNCLAIMED}
    return Places(own, {host: EnvironmentName(name) for host, name in hosts.items() if name in own}, rules)

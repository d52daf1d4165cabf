"""What the demo is told of the installation it plays on."""

from dataclasses import dataclass
from pathlib import Path

INSTALLATION = "demo.localhost"
"""The name of every demo's installation; a home of another name is nobody's playground."""
HOSTINGS = {"n1": "aws/eu-west-1", "n2": "azure/westeurope"}
"""Its nodes."""
SEALING_SECONDS = 30
"""Short, so that segments appear while one watches."""
PORTS = {"n1-syslog": 5514, "n2-syslog": 5515, "n1-http": 5580, "n2-http": 5581, "gateway": 2222, "console": 8080}
"""Where it listens if nobody else does."""


@dataclass(frozen=True, slots=True)
class DemoNode:
    """A node: where it takes syslog, where lines over HTTP, and the verifier keys of its log and its promises."""

    syslog: tuple[str, int]
    http: str
    vkey: str
    promise_vkey: str


@dataclass(frozen=True, slots=True)
class Platform:
    """An installation. `known_hosts` names the gateway's host key under the installation's name."""

    home: Path
    gateway: tuple[str, int]
    known_hosts: Path
    nodes: dict[str, DemoNode]


def settings_text(ports: dict[str, int]) -> str:
    """The demo's holdfast.toml; `ports` as in PORTS."""
    lines = [
        "# A demo's home, made by `holdfast up --demo`. docs/settings.md lists every setting.",
        f'installation = "{INSTALLATION}"',
        f"\n[gateway]\nport = {ports['gateway']}",
        f"\n[console]\nport = {ports['console']}",
        f"\n[sealing]\nseconds = {SEALING_SECONDS}.0  # short, so that segments appear while one watches",
    ]
    for node, hosting in HOSTINGS.items():
        lines.append(f'\n[nodes.{node}]\nhosting = "{hosting}"')
        lines.append(f"syslog.port = {ports[f'{node}-syslog']}\nhttp.port = {ports[f'{node}-http']}")
    return "\n".join(lines) + "\n"

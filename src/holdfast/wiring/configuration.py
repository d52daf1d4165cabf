"""The settings of an installation: their shape, defaults and limits (docs/settings.md lists them all).

Unknown keys are refused and types are strict, so that a misspelt or misunderstood setting never silently does nothing.
Everything listens on loopback unless told otherwise.
"""

import ipaddress
import re
from collections import Counter
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from holdfast.kernel.errors import MalformedError
from holdfast.kernel.names import NodeName, node_name
from holdfast.kernel.segments import Hosting
from holdfast.rules.places import parse_hosting

MIB = 1 << 20

_DOMAIN = re.compile(r"(?=.{1,200}\Z)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*\Z", re.ASCII)
_STORE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)+\Z", re.ASCII)


def _domain(text: str) -> str:
    if not _DOMAIN.match(text):
        raise ValueError("a domain name in lower case, like logs.example.org")
    return text


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ValueError("an IP address, like 127.0.0.1 or ::1") from None


def _node(text: str) -> str:
    try:
        return node_name(text)
    except MalformedError:
        raise ValueError("a lower case word like n1, and not keeper") from None


def _hosting(text: str) -> str:
    try:
        return str(parse_hosting(text))
    except MalformedError:
        raise ValueError("a vendor and a region, like aws/eu-west-1") from None


def _store(text: str) -> str:
    if len(text) > 100 or not _STORE.match(text):
        raise ValueError("a vendor and a region joined by a hyphen, like aws-eu-west-1")
    return text


DomainName = Annotated[str, AfterValidator(_domain)]
IpAddress = Annotated[str, AfterValidator(_address)]
Port = Annotated[int, Field(ge=1, le=65535)]


class Table(BaseModel):
    """A table of holdfast.toml."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Listener(Table):
    """Where a process listens."""

    address: IpAddress = "127.0.0.1"
    port: Port

    @property
    def place(self) -> tuple[str, int]:
        """As sockets take it."""
        return self.address, self.port

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


class SyslogListener(Listener):
    """Syslog over TCP."""

    port: Port = 5514


class HttpListener(Listener):
    """Lines over HTTP, as `holdfast send` sends them."""

    port: Port = 5580


class GatewayListener(Listener):
    """SSH, for reading."""

    port: Port = 2222


class ConsoleListener(Listener):
    """Web pages."""

    port: Port = 8080


class NodeSettings(Table):
    """One node: it takes lines of environments on its own hosting."""

    hosting: Annotated[str, AfterValidator(_hosting)]
    syslog: SyslogListener = SyslogListener()
    http: HttpListener = HttpListener()

    @property
    def place(self) -> Hosting:
        """Vendor and region."""
        return parse_hosting(self.hosting)


class IntakeSettings(Table):
    """What a node takes at most, and how long it gathers lines before they are made durable together."""

    max_frame: Annotated[int, Field(ge=480, le=MIB)] = 64 << 10
    max_connections: Annotated[int, Field(ge=1, le=100_000)] = 16_000
    flush_seconds: Annotated[float, Field(ge=0.001, le=10)] = 0.1
    flush_lines: Annotated[int, Field(ge=1, le=1_000_000)] = 40_000
    flush_bytes: Annotated[int, Field(ge=MIB, le=1024 * MIB)] = 16 * MIB
    pending_bytes: Annotated[int, Field(ge=MIB, le=4096 * MIB)] = 64 * MIB
    http_body: Annotated[int, Field(ge=64 << 10, le=64 * MIB)] = 4 * MIB
    http_connections: Annotated[int, Field(ge=1, le=100_000)] = 1000


class SealingSettings(Table):
    """When a journal file is closed and becomes segments: whichever comes first. Midnight always does."""

    bytes: Annotated[int, Field(ge=64 << 10, le=4096 * MIB)] = 256 * MIB
    seconds: Annotated[float, Field(ge=1, le=86_400)] = 3600.0


def store_name(hosting: Hosting) -> str:
    """The name of a hosting's store: `aws-eu-west-1`."""
    return f"{hosting.vendor}-{hosting.region}"


class Settings(BaseSettings):
    """Everything that can be set. Made by `reading.read_settings` only."""

    model_config = SettingsConfigDict(extra="forbid", strict=True, frozen=True)

    installation: DomainName
    nodes: Annotated[dict[Annotated[str, AfterValidator(_node)], NodeSettings], Field(min_length=1, max_length=100)]
    gateway: GatewayListener = GatewayListener()
    console: ConsoleListener = ConsoleListener()
    intake: IntakeSettings = IntakeSettings()
    sealing: SealingSettings = SealingSettings()
    stores: dict[Annotated[str, AfterValidator(_store)], Annotated[str, Field(min_length=1, max_length=4096)]] = {}

    @model_validator(mode="after")
    def _listen_apart(self) -> Self:
        listeners = [str(listener) for _, listener in self.listeners()]
        twice = [place for place, count in Counter(listeners).items() if count > 1]
        if twice:
            raise ValueError(f"listeners with addresses of their own; {twice[0]} is given to two")
        return self

    @model_validator(mode="after")
    def _stores_apart(self) -> Self:
        folders: dict[str, str] = {}
        for node in self.nodes.values():
            if folders.setdefault(store_name(node.place), node.hosting) != node.hosting:
                raise ValueError("hostings whose vendor and region, joined by a hyphen, differ")
        return self

    def listeners(self) -> list[tuple[str, Listener]]:
        """Every listener with the name of its setting, nodes first."""
        nodes = [
            (f"nodes.{name}.{kind}", listener)
            for name, node in self.nodes.items()
            for kind, listener in (("syslog", node.syslog), ("http", node.http))
        ]
        return [*nodes, ("gateway", self.gateway), ("console", self.console)]

    def node_names(self) -> list[NodeName]:
        """The nodes of this machine, in the order of the file."""
        return [NodeName(name) for name in self.nodes]

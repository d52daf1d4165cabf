"""Django's models, by noun."""

from holdfast.database.models.custody import KeyRecord, KeyState, Segment
from holdfast.database.models.events import Event, LogEntry
from holdfast.database.models.nodes import IntakeToken, Node, TokenKind
from holdfast.database.models.people import Membership, Person, Relevance, SshKey, Staff, Team, TeamMember
from holdfast.database.models.places import Customer, Environment, HostName, Project, RegisterVersion, StreamRule

__all__ = [
    "Customer",
    "Environment",
    "Event",
    "HostName",
    "IntakeToken",
    "KeyRecord",
    "KeyState",
    "LogEntry",
    "Membership",
    "Node",
    "Person",
    "Project",
    "RegisterVersion",
    "Relevance",
    "Segment",
    "SshKey",
    "Staff",
    "StreamRule",
    "Team",
    "TeamMember",
    "TokenKind",
]

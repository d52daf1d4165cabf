"""The names everybody shares: environments, streams, nodes, keys, persons. Ids do not mix (NewType)."""

import re
from enum import StrEnum
from typing import NewType

from holdfast.kernel.errors import MalformedError

EnvironmentName = NewType("EnvironmentName", str)
"""`project/environment`, for example `acme/main`."""
NodeName = NewType("NodeName", str)
KeyId = NewType("KeyId", str)
"""32 lower-case hexadecimal digits, random."""
PersonId = NewType("PersonId", str)
"""Opaque: `p_` and 16 hexadecimal digits."""
Installation = NewType("Installation", str)
"""A domain name."""

UNCLAIMED = EnvironmentName("platform/unclaimed")
"""Where a line goes that maps nowhere: the platform's own, never a customer's."""

WORD = r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*"
"""A lower-case word of letters and digits joined by single hyphens: what names are made of."""
_ENVIRONMENT = re.compile(rf"({WORD})/({WORD})\Z", re.ASCII)
_LOGIN = re.compile(rf"({WORD})--({WORD})\Z", re.ASCII)
_NODE = re.compile(rf"{WORD}\Z", re.ASCII)
_KEY = re.compile(r"[0-9a-f]{32}\Z", re.ASCII)


class Stream(StrEnum):
    """Which of the four kinds of log a line belongs to."""

    APP = "app"
    SYSTEM = "system"
    WEB_ACCESS = "web-access"
    SSH_ACCESS = "ssh-access"


SSHD = ("sshd", "sshd-session", "sshd-auth")
"""What sshd calls itself: its lines are `ssh-access`, whatever anybody says."""


class Form(StrEnum):
    """How addresses are shown: as pseudonyms, or in clear to those entitled."""

    PSEUDONYM = "pseudonym"
    CLEAR = "clear"


def environment_name(text: str) -> EnvironmentName:
    """The name, checked: `project/environment`, lower case words of letters and digits joined by single hyphens."""
    if len(text) > 100 or not _ENVIRONMENT.match(text):
        raise MalformedError("environment-name", "an environment is named project/environment, like acme/main")
    return EnvironmentName(text)


def login_name(environment: EnvironmentName) -> str:
    """The SSH user name of an environment: `acme--main`."""
    return environment.replace("/", "--")


def environment_of_login(login: str) -> EnvironmentName | None:
    """The environment an SSH user name stands for, or None. Names hold no `--`, so there is only one."""
    if len(login) > 101:
        return None
    found = _LOGIN.match(login)
    return EnvironmentName(f"{found[1]}/{found[2]}") if found else None


def node_name(text: str) -> NodeName:
    """The name, checked."""
    if len(text) > 63 or not _NODE.match(text) or text == "keeper":
        raise MalformedError("node-name", "a node is named by a lower case word like n1, and not `keeper`")
    return NodeName(text)


def key_id(text: str) -> KeyId:
    """The id, checked."""
    if not _KEY.match(text):
        raise MalformedError("key-id", "a key id is 32 lower-case hexadecimal digits")
    return KeyId(text)

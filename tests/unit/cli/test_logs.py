from pathlib import Path

import pytest

from holdfast.cli import _parser
from holdfast.cli.logs import ssh_command
from holdfast.kernel.errors import MalformedError
from holdfast.wiring.configuration import NodeSettings, Settings
from holdfast.wiring.home import Home

SETTINGS = Settings(installation="logs.example", nodes={"n1": NodeSettings(hosting="a/b")})
HOME = Home(Path("/home/x"))


def test_logs_is_the_plain_ssh_client_with_the_gateways_own_host_key() -> None:
    command = ssh_command(HOME, SETTINGS, "acme/main", "app", ["--since", "1h"], None)
    assert command[0] == "ssh"
    assert command[-2:] == ["acme--main@127.0.0.1", "logs app --since 1h"]
    assert "HostKeyAlias=logs.example" in command
    assert "StrictHostKeyChecking=yes" in command


def test_words_for_the_gateway_arrive_as_they_were_typed() -> None:
    words = ["logs", "acme/main", "app", "--grep", "a b'; rm -rf /", "--json"]
    args = _parser("logs").parse_args(words)
    assert args.words == ["--grep", "a b'; rm -rf /", "--json"]
    command = ssh_command(HOME, SETTINGS, args.environment, args.stream, args.words, None)
    assert command[-1] == """logs app --grep 'a b'"'"'; rm -rf /' --json"""


def test_an_environment_that_is_none_never_reaches_ssh() -> None:
    with pytest.raises(MalformedError):
        ssh_command(HOME, SETTINGS, "-oProxyCommand=x", "app", [], None)

"""Which stream and environment a line belongs to."""

import polars as pl
import pytest

from holdfast.formats.records import SCHEMA
from holdfast.kernel.names import Stream
from holdfast.rules.streams import Rule, environments, file_streams, streams

ACCESS = b'192.0.2.1 - - [04/Jan/2020:07:25:02 +0000] "GET / HTTP/1.1" 404 522 "-" "-"'


def stream(program: str, message: bytes = b"hello", *rules: Rule, host: str = "h") -> str:
    table = pl.DataFrame([(0, 0, 6, host, program, "", "", message)], schema=SCHEMA, orient="row")
    return streams(table, rules)["stream"].item()


@pytest.mark.parametrize(
    "program",
    ["sshd", "sshd-session", "sshd-auth", "SSHD", "/usr/sbin/sshd", "sshd(pam_unix)", "sshd[33]", "sshd\0", "sshd:"],
)
def test_sshd_is_ssh_access_whatever_the_register_says(program: str) -> None:
    assert stream(program, ACCESS, {"host": None, "program": program, "stream": "system"}) == "ssh-access"


@pytest.mark.parametrize("program", ["nginx", "httpd", "apache2", "caddy", "traefik", "haproxy"])
def test_a_web_servers_access_lines_are_web_access_and_its_others_app(program: str) -> None:
    assert stream(program, ACCESS) == "web-access"
    assert stream(program, b"2021/09/30 09:23:53 [error] 1#1: *17 no") == "app"


def test_applications_are_app_and_the_rest_system() -> None:
    assert [stream(name) for name in ("php-fpm", "php-fpm8.2", "app", "gunicorn", "node", "java")] == ["app"] * 6
    assert [stream(name) for name in ("", "cron", "kernel", "appliance", "sudo")] == ["system"] * 5


def test_an_access_line_is_told_by_its_form_from_a_sender_nobody_named() -> None:
    assert (stream("access_log", ACCESS), stream("gunicorn", ACCESS)) == ("web-access", "app")


def test_the_registers_rules_come_first_and_those_for_a_host_before_others() -> None:
    rules: list[Rule] = [
        {"host": None, "program": "mysql", "stream": "app"},
        {"host": "db", "program": "mysql", "stream": "web-access"},
    ]
    assert stream("mysql", b"x", *rules) == "app"
    assert stream("mysql", b"x", *rules, host="db") == "web-access"
    assert stream("cron", b"x", *rules) == "system"


def test_an_environment_comes_from_the_host_map() -> None:
    table = pl.DataFrame({"host": ["a", "b", "", "c"]})
    assert environments(table, {"a": "x/y", "c": "x/z"})["environment"].to_list() == ["x/y", "", "", "x/z"]
    assert environments(table, {})["environment"].to_list() == [""] * 4


@pytest.mark.parametrize(
    ("line", "stream"),
    [
        (b"Nov 24 06:00:00 web1 sshd[812]: Accepted publickey for deploy from 192.0.2.1 port 22 ssh2", "ssh-access"),
        (b"2026-11-24T06:00:00.123456+00:00 web1 sshd-session[812]: Connection closed", "ssh-access"),
        (b"<86>Nov  4 06:00:00 web1 sshd[812]: x", "ssh-access"),
        (b"Nov 24 06:00:00 web1 cron[812]: restarting sshd: done", "system"),
        (b"a line about sshd", "system"),
    ],
)
def test_sshd_lines_in_a_file_never_reach_the_stream_its_sender_names(line: bytes, stream: str) -> None:
    table = pl.DataFrame({"message": [line]}, schema={"message": pl.Binary})
    assert file_streams(table, Stream.SYSTEM)["stream"].to_list() == [stream]


@pytest.mark.parametrize(
    ("message", "wanted"),
    [
        (b" sshd[4]: Accepted", "ssh-access"),
        (b"sshd(pam_unix)[4]: session opened", "ssh-access"),
        (b"sshd-keygen: made", "system"),
        (b"restarting sshd: done", "system"),
    ],
)
def test_a_line_without_a_program_whose_text_begins_as_sshds_is_ssh_access(message: bytes, wanted: str) -> None:
    assert stream("", message) == wanted

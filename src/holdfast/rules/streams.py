"""Which environment and which stream a line belongs to. Pure; whole tables at a time.

The stream map, first match wins:

1. sshd (`sshd`, `sshd-session`, `sshd-auth`; also with something after the name that is no part of one, as in
   `sshd(pam_unix)` or `sshd[33]`, or as the tag of a line without a program) → `ssh-access`, whatever the register
   says.
2. The register's rules: `{"host", "program", "stream"}`, those naming a host before those for every host.
3. A web server's (nginx, httpd, apache2, caddy, traefik, haproxy) access lines → `web-access`; its other lines → `app`.
4. php-fpm, the application and its servers → `app`.
5. The rest → `system`, unless the line has the form of an access line (`web-access`).

Programs are compared in lower case, without a path before them. Call `environments` and `streams` on a parser's table,
in any order, then give the table to `rules.guard.minimise`.
"""

import re
from collections.abc import Mapping, Sequence
from typing import TypedDict

import numpy as np
import polars as pl

from holdfast.formats import weblogs
from holdfast.kernel.names import SSHD, Stream


class Rule(TypedDict):
    """One rule of the register's stream map; `host` None is every host."""

    host: str | None
    program: str
    stream: str


WEB = frozenset({"nginx", "httpd", "apache", "apache2", "caddy", "traefik", "haproxy"})
_APP = re.compile(
    r"(?:app|application|php|php-fpm|php-cgi|php[0-9.]+|php-fpm[0-9.]+|php[0-9.]+-fpm|uwsgi|gunicorn|uvicorn|hypercorn|"
    r"celery|puma|unicorn|sidekiq|passenger|rails|node|nodejs|pm2|deno|bun|java|tomcat[0-9]*|catalina|jetty|dotnet|"
    r"python[0-9.]*|ruby[0-9.]*|beam(?:\.smp)?)\Z"
)

_SSH, _WEB_SERVER, _APPLICATION, _REST = range(4)
_NAMES = [Stream.APP.value, Stream.SYSTEM.value, Stream.WEB_ACCESS.value, Stream.SSH_ACCESS.value]
_DEFAULT = np.array([3, 0, 0, 1], np.uint8)
"""The index into _NAMES of each kind's stream, where the line is no access line."""


def plain_program(program: str) -> str:
    """The program as rules name it: lower case, no path."""
    return program.rpartition("/")[2].lower()


_SSH_NAME = re.compile(rf"(?:{'|'.join(sorted(SSHD))})(?![a-z0-9_.-])")
_SSH_HEAD = re.compile(rb" *(?:sshd|sshd-session|sshd-auth)(?:\([^)]{0,64}\))?(?:\[[0-9]{1,10}\])?:")


def _kind(program: str) -> int:
    plain = plain_program(program)
    if _SSH_NAME.match(plain):
        return _SSH
    if plain in WEB:
        return _WEB_SERVER
    return _APPLICATION if _APP.match(plain) else _REST


def streams(table: pl.DataFrame, rules: Sequence[Rule] = ()) -> pl.DataFrame:
    """The table with a column `stream` (values of kernel.names.Stream)."""
    names = table["program"].unique()
    kinds = pl.Series([_kind(name) for name in names], dtype=pl.UInt8)
    kind = table["program"].replace_strict(names, kinds, return_dtype=pl.UInt8).to_numpy()
    if "" in names:
        untagged = ((table["program"] == "") & table["message"].bin.contains(b"sshd")).arg_true()
        heads = zip(untagged, table["message"].gather(untagged), strict=True)
        if ours := [at for at, message in heads if _SSH_HEAD.match(message)]:
            kind = kind.copy()
            kind[ours] = _SSH
    numbers = _DEFAULT[kind]
    maybe = (kind == _WEB_SERVER) | (kind == _REST)
    if maybe.any():
        numbers[weblogs.access_lines(table["message"], maybe)] = _NAMES.index(Stream.WEB_ACCESS)
    column = pl.Series("stream", _NAMES).gather(pl.Series(numbers).cast(pl.UInt32))
    if rules:
        ruled = _ruled(table, rules)
        column = pl.select(
            pl.when(pl.lit(pl.Series(kind)) == _SSH)
            .then(pl.lit(column))
            .otherwise(pl.coalesce(pl.lit(ruled), pl.lit(column)))
        ).to_series()
    return table.with_columns(column.alias("stream"))


_SSH_TAG = re.compile(
    rb"(?:<[0-9]{1,3}>)?(?:1 )?"
    rb"(?:[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.,]{8,20}(?:Z|[+-][0-9:]{4,6})?)"
    rb" [^ ]{1,255} (?:sshd|sshd-session|sshd-auth)(?:\[[0-9]{1,10}\]:|:| [0-9]{1,10} )"
)


def file_streams(table: pl.DataFrame, stream: Stream) -> pl.DataFrame:
    """The table of a file's lines with the stream that its sender names, but for lines that sshd's tag begins (a syslog
    file such as auth.log): those are `ssh-access` whatever anybody says."""
    column = pl.repeat(stream.value, table.height, eager=True).alias("stream")
    if stream in (Stream.APP, Stream.SYSTEM):
        maybe = table["message"].bin.contains(b" sshd").arg_true()
        ours = [
            at for at, message in zip(maybe, table["message"].gather(maybe), strict=True) if _SSH_TAG.match(message)
        ]
        if ours:
            column = column.scatter(ours, Stream.SSH_ACCESS.value)
    return table.with_columns(column)


def _ruled(table: pl.DataFrame, rules: Sequence[Rule]) -> pl.Series:
    """The stream the register's rules give each line, or null."""
    hosts: dict[tuple[str, str], str] = {}
    everywhere: dict[str, str] = {}
    for rule in rules:
        program, stream = plain_program(rule["program"]), Stream(rule["stream"]).value
        if rule["host"] is None:
            everywhere.setdefault(program, stream)
        else:
            hosts.setdefault((rule["host"], program), stream)
    pairs = table.select("host", "program")
    unique = pairs.unique()
    chosen = [
        hosts.get((host, plain_program(program)), everywhere.get(plain_program(program)))
        for host, program in unique.iter_rows()
    ]
    known = unique.with_columns(pl.Series("ruled", chosen, dtype=pl.String))
    return pairs.join(known, on=["host", "program"], how="left", maintain_order="left")["ruled"]


def environments(table: pl.DataFrame, host_map: Mapping[str, str]) -> pl.DataFrame:
    """The table with a column `environment`, from the register's host map; "" for a host that is not in it."""
    if not host_map:
        return table.with_columns(pl.lit("").alias("environment"))
    return table.with_columns(
        pl.col("host")
        .replace_strict(list(host_map), list(host_map.values()), default="", return_dtype=pl.String)
        .alias("environment")
    )

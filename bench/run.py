"""The benchmarks of README.md: `python -m bench.run --scale 0.2`. Nothing but loopback, nothing that was there before.

Everything is measured on one fresh installation under `holdfast up`, in this order: intake (journal only) and a peer on
the same bytes, sealing, stored size against `zstd -3`, verification against `sha256sum`, reading through the gateway
against OpenSSH's own sftp-server. Figures go to standard output as JSON lines and, at the end, as a table.
"""

import argparse
import json
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.support.platforms import Platform, holdfast, until

from bench.corpus import Corpus, corpus
from bench.feeding import Journal, feed, feed_rsyslog, rsyslog
from bench.measuring import measured, timed
from bench.reading import read_all

TENANTS = 200
LARGE = "[sealing]\nbytes = 4294967296\nseconds = 86400.0\n"


def register(public_key: str) -> str:
    """Environment tNNN/main with host tNNN.example.net, 200 of them, and one person who may read them all."""
    rows = []
    for i in range(TENANTS):
        rows += [f"[customers.bench.projects.t{i:03d}.environments.main]", 'hosting = "local/local"']
        rows += [f'hosts = ["t{i:03d}.example.net"]']
    rows += ["[people.ben]", 'name = "Ben Ch"', f'keys = ["{public_key}"]', 'memberships = { bench = "member" }']
    return "\n".join(rows)


def say(figures: list[dict[str, Any]], what: str, **values: Any) -> None:
    """Keep a figure and print it."""
    row = {"what": what, **values}
    figures.append(row)
    print(json.dumps(row), flush=True)


def intake(home: Platform, data: Corpus, folder: Path, figures: list[dict[str, Any]]) -> None:
    """(a) From the socket to the fsync, and rsyslog writing the same bytes to a plain file without one."""
    journal = Journal(home.home.journal(home.home.open().node_names()[0]))
    with rsyslog(folder / "rsyslog") as (port, peer, sink):
        for name in ("web", "sys"):
            file, lines = data.frames(name)
            node = home.pid("n1")
            assert node is not None
            with measured({"node": node}) as ours:
                seconds = feed(home, journal, file, lines)
            with measured({"rsyslog": peer}) as theirs:
                other = feed_rsyslog(port, sink, file)
            say(
                figures,
                f"intake {name}",
                lines=lines,
                lines_per_second=round(lines / seconds),
                cpu_seconds_per_million=round(ours.cpu["node"] / lines * 1e6, 2),
                node_peak_mib=ours.peak["node"],
                rsyslog_lines_per_second=round(lines / other),
                rsyslog_cpu_seconds_per_million=round(theirs.cpu["rsyslog"] / lines * 1e6, 2),
                ratio=round(other / seconds, 3),
            )


def sealing(home: Platform, lines: int, figures: list[dict[str, Any]]) -> None:
    """The journal closed by a restart with ordinary settings, and sealed."""
    settings = home.home.settings_file
    settings.write_text(settings.read_text().replace(LARGE, "[sealing]\nseconds = 5.0\n"))
    home.stop()
    home.up()
    until(lambda: home.pid("n1") is not None, 60, "the node")
    node, journal = home.pid("n1"), home.home.journal(home.home.open().node_names()[0])
    assert node is not None
    with measured({"node": node}) as usage:
        begin = time.perf_counter()
        until(lambda: sum(file.stat().st_size for file in journal.glob("*.journal")) < 1 << 20, 1800, "sealing")
        seconds = time.perf_counter() - begin
    say(
        figures,
        "sealing",
        lines=lines,
        lines_per_second=round(lines / seconds),
        cpu_seconds_per_million=round(usage.cpu["node"] / lines * 1e6, 2),
        node_peak_mib=usage.peak["node"],
    )


def size(home: Platform, data: Corpus, lines: int, figures: list[dict[str, Any]]) -> None:
    """(b) Everything kept (segments, ledger, log, what is left of the journal) against `zstd -3` of the raw lines."""
    settings = home.home.open()
    kept = {
        "segments": sum(_bytes(path) for path in home.home.stores(settings).values()),
        "ledger": sum(_bytes(home.home.ledger(node)) for node in settings.node_names()),
        "log": sum(_bytes(home.home.log(node)) for node in settings.node_names()),
    }
    packed = 0
    for file in (data.raw, data.sys):
        zstd = subprocess.run(["zstd", "-3", "-T1", "-q", "-c", file], check=True, stdout=subprocess.PIPE)
        packed += len(zstd.stdout)
    total = sum(kept.values())
    per = {name: round(count / lines, 2) for name, count in kept.items()}
    say(
        figures,
        "size",
        mb_per_million=round(total / lines, 2),
        **per,
        zstd_3_mb_per_million=round(packed / lines, 2),
        ratio=round(total / packed, 3),
    )


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def verification(home: Platform, data: Corpus, lines: int, figures: list[dict[str, Any]]) -> None:
    """(c) `verify` with one and with two processes against `sha256sum` of the same raw bytes."""
    floor, _ = timed(["sha256sum", str(data.raw), str(data.sys)], stdout=subprocess.DEVNULL)
    for processes in (1, 2):
        begin = time.perf_counter()
        done = holdfast("verify", "--json", "--processes", str(processes), "--home", home.home.root, seconds=3600)
        seconds = time.perf_counter() - begin
        report = json.loads(done.stdout)
        assert report["sound"], report["findings"][:3]
        assert report["lines"] == lines, report["lines"]
        say(
            figures,
            f"verify, {processes} process{'es' if processes > 1 else ''}",
            lines_per_second=round(lines / seconds),
            sha256sum_lines_per_second=round(lines / floor),
            ratio=round(floor / seconds, 3),
        )


def main() -> None:
    """Run them all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="of the corpus: 1.0 is 7,000,000 lines")
    parser.add_argument("--corpus", type=Path, default=Path("build/corpus"))
    parser.add_argument("--folder", type=Path, help="where the installation is made; a temporary one if left out")
    args = parser.parse_args()
    data = corpus(args.corpus, args.scale)
    folder = args.folder or Path(tempfile.mkdtemp(prefix="holdfast-bench-"))
    figures: list[dict[str, Any]] = []
    key = folder / "id_ed25519"
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "bench", "-f", key], check=True)
    home = Platform(folder, register=register(key.with_suffix(".pub").read_text().strip()), settings=LARGE)
    try:
        home.up()
        intake(home, data, folder, figures)
        lines = data.web_lines + data.sys_lines
        sealing(home, lines, figures)
        size(home, data, lines, figures)
        verification(home, data, lines, figures)
        read_all(home, data, key, folder, lambda what, **values: say(figures, what, **values))
        home.stop()
    finally:
        home.close()
        if args.folder is None:
            shutil.rmtree(folder)
    print()
    for row in figures:
        print(f"{row.pop('what'):24}", "  ".join(f"{name}={value}" for name, value in row.items()))


if __name__ == "__main__":
    main()

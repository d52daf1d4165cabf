"""`holdfast attest` over a running platform: what it observes, and what a changed byte contradicts."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.keepers import ssh_key
from tests.support.platforms import Platform, holdfast, platform, until

pytestmark = pytest.mark.slow

REGISTER = f"""
[customers.acme.projects.acme.environments.main]
hosting = "local/local"
hosts = ["web1.acme.example"]

[customers.globex.projects.globex.environments.main]
hosting = "local/local"

[people.ada]
name = "Ada"
keys = ["{ssh_key("ada")[0]}"]
memberships = {{ acme = "member" }}

[people.dana]
name = "Dana"
keys = ["{ssh_key("dana")[0]}"]

[people.olga]
name = "Olga"
keys = ["{ssh_key("olga")[0]}"]

[staff.teams.support]
members = ["dana"]
environments = ["acme/main"]

[staff.teams.operations]
members = ["olga"]
operations = true
"""
SETTINGS = "[sealing]\nseconds = 1.0\n"


def attest(running: Platform) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit status, and the evidence by check."""
    done = holdfast("attest", "--home", running.home.root, "--json", "--processes", "1", check=False)
    assert done.stdout, done.stderr
    return done.returncode, {one["check"]: one for one in json.loads(done.stdout)["evidence"]}


def test_a_running_platform_is_observed_and_a_changed_byte_contradicts(tmp_path: Path) -> None:
    with platform(tmp_path, register=REGISTER, settings=SETTINGS) as running:
        with running.syslog() as sender:
            for number in range(50):
                for program in ("php-fpm", "cron"):
                    row = f"<30>1 2026-11-24T06:00:00Z web1.acme.example {program} - - - line {number} from 192.0.2.7"
                    sender.sendall(row.encode() + b"\n")
        app = "segments/acme/main/app/**/*.parquet"
        until(lambda: bool(list(running.home.root.glob(f"stores/*/{app}"))), 60, "a sealed segment")

        status, found = attest(running)
        outcomes = {name: (one["outcome"], one["says"]) for name, one in found.items()}
        assert outcomes.pop("visitor-addresses")[0] == "missing"
        assert {name: said for name, said in outcomes.items() if said[0] != "observed"} == {}
        assert status == 0
        # Ada: three streams of hers, two forms; Dana: two of them; Olga: three streams of what maps nowhere.
        assert found["access-matrix"]["figures"]["allowed"] == 6 + 2 + 3
        assert found["ssh-door"]["figures"]["methods"] == "publickey"
        assert found["connection-records"]["figures"]["own_pseudonym"] >= 1
        assert found["app-lines"]["figures"]["lines"] == 50

        segment = next(running.home.root.glob(f"stores/*/{app}"))
        stored = bytearray(segment.read_bytes())
        stored[len(stored) // 3] ^= 1
        segment.chmod(0o600)
        segment.write_bytes(stored)
        status, found = attest(running)
        assert (status, found["stored-bytes"]["outcome"]) == (1, "contradicted")
        assert found["access-matrix"]["outcome"] == "observed"

"""The corpus, made once by gen.py and cut into what each benchmark feeds: RFC 5424 frames of 200 hosts, one a line."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Corpus:
    """`web` are the access lines and `sys` the others, framed; `raw` the web lines alone. Counts of lines."""

    web: Path
    sys: Path
    raw: Path
    web_lines: int
    sys_lines: int
    needle: str

    def frames(self, name: str) -> tuple[Path, int]:
        """The file and its lines."""
        return (self.web, self.web_lines) if name == "web" else (self.sys, self.sys_lines)


def corpus(folder: Path, scale: float) -> Corpus:
    """The corpus of that scale (1.0: five million web lines, two million others), made if it is not there yet."""
    manifest = folder / "manifest.json"
    if not manifest.exists() or json.loads(manifest.read_text())["scale"] != scale:
        generator = Path(__file__).with_name("gen.py")
        subprocess.run([sys.executable, generator, "--out", folder, "--scale", str(scale)], check=True, stdout=-3)
        (folder / "web.rfc5424").unlink(missing_ok=True)
    web = folder / "web.rfc5424"
    if not web.exists():
        with (folder / "all.rfc5424").open("rb") as every, web.open("wb") as sink:
            sink.writelines(line for line in every if line.startswith(b"<190>"))
    said = json.loads(manifest.read_text())
    return Corpus(web, folder / "sys.log", folder / "web.log", said["web_lines"], said["sys_lines"], said["needle_req"])

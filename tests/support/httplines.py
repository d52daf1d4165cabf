"""A sender over HTTP that keeps its promises: numbered chunks of numbered lines, sent again until they are answered."""

import http.client
import json
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Answered:
    """A chunk that was promised: its lines, and the promise (docs/send.md)."""

    lines: list[bytes]
    promise: dict[str, Any]


@dataclass
class HttpLines:
    """One file of one sender. `answered` is what the node acknowledged; `statuses` counts what it said beside."""

    port: int
    token: str
    name: str = "load.log"
    stream: str = "app"
    sender: str = field(default_factory=lambda: str(uuid.uuid4()))
    file_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    offset: int = 0
    answered: list[Answered] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    retry_after: str | None = None
    timeout: float = 30.0

    def post(self, lines: list[bytes]) -> int:
        """One try: the status; 0 if there was no answer. The offset moves only with a promise."""
        body = b"".join(line + b"\n" for line in lines)
        target = (
            f"/v1/lines?stream={self.stream}&file={self.name}&id={self.file_id}&offset={self.offset}"
            f"&sender={self.sender}"
        )
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
        try:
            connection.request("POST", target, body, {"Authorization": f"Bearer {self.token}"})
            answer = connection.getresponse()
            said = answer.read()
            status, self.retry_after = answer.status, answer.headers.get("Retry-After")
        except (OSError, http.client.HTTPException):
            status, said = 0, b""
        finally:
            connection.close()
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if status == 200:
            self.offset += len(body)
            self.answered.append(Answered(lines, json.loads(said)))
        return status

    def send(self, lines: list[bytes], stop: threading.Event, seconds: float = 120.0) -> bool:
        """Until it is answered; False if told to stop before, or if it took too long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            status = self.post(lines)
            if status == 200:
                return True
            assert status in (0, 408, 500, 503), status
            if stop.wait(0.2):
                return False
        return False

    def acknowledged(self) -> list[bytes]:
        """Every acknowledged line, in order."""
        return [line for chunk in self.answered for line in chunk.lines]

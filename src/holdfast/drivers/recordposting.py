"""Connection records posted to a node's HTTP intake (docs/send.md has the protocol), with the recorder's token.

Each environment is a file of its own, named by a random id: the node tells a chunk sent again by its offset and digest.
One chunk of an environment is in hand at a time; until it is answered the same bytes are sent again.
"""

import http.client
import threading
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from holdfast.kernel.errors import BusyError, ConfigurationError, RefusedError
from holdfast.kernel.names import EnvironmentName, Stream
from holdfast.kernel.secrets import Secret

SECONDS = 15.0
_ANSWER_LIMIT = 64 << 10


@dataclass(slots=True)
class _File:
    id: str
    offset: int = 0


class RecordPoster:
    """Satisfies gateway.ports.Poster for one node. Any thread may post; one at a time for each environment."""

    def __init__(self, url: str, token: Secret, boot: str, new_id: Callable[[], str]) -> None:
        """`url` is `http://host:port`; `boot` a UUID, new for each start; `new_id` makes 32 hexadecimal digits."""
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname or not parts.port:
            raise ConfigurationError("record-endpoint", "a node's intake is given as http://host:port")
        self._host, self._port = parts.hostname, parts.port
        self._token = token
        self._boot = boot
        self._new_id = new_id
        self._files: dict[EnvironmentName, _File] = {}
        self._lock = threading.Lock()

    def post(self, environment: EnvironmentName, lines: bytes) -> None:
        """Post whole lines. RefusedError if they are not this node's, BusyError if they could not be posted now."""
        with self._lock:
            file = self._files.get(environment) or _File(self._new_id())
            self._files[environment] = file
        status = self._exchange(environment, file, lines)
        if status == 200:
            file.offset += len(lines)
        elif status == 403:
            with self._lock:
                self._files.pop(environment, None)
            raise RefusedError("record-refused", "the node does not take records of this environment")
        else:
            if status == 409:  # The node knows another position: a new file begins, and no record is lost.
                file.id, file.offset = self._new_id(), 0
            raise BusyError("record-not-taken", "the node does not take records now", status=status)

    def _exchange(self, environment: EnvironmentName, file: _File, lines: bytes) -> int:
        query = urlencode(
            {
                "environment": environment,
                "stream": Stream.SSH_ACCESS.value,
                "sender": self._boot,
                "file": f"gateway-{self._boot}",
                "id": file.id,
                "offset": file.offset,
            }
        )
        headers = {"Authorization": f"Bearer {self._token.reveal().decode()}", "Content-Type": "text/plain"}
        connection = http.client.HTTPConnection(self._host, self._port, timeout=SECONDS)
        try:
            connection.request("POST", f"/v1/lines?{query}", lines, headers)
            response = connection.getresponse()
            response.read(_ANSWER_LIMIT)
            return response.status
        except (OSError, http.client.HTTPException):
            raise BusyError("record-node-away", "the node that takes the records does not answer") from None
        finally:
            connection.close()

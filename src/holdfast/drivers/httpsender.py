"""A node's HTTP intake as a sender sees it: one connection kept open, every outcome an answer or an error family.

Whatever leaves the outcome unknown (no connection, no answer in time, 5xx) is BusyError: asking again with the same
bytes is safe, for the node takes a chunk once.
"""

import hashlib
import http.client
import json
import ssl
from collections.abc import Mapping
from typing import NoReturn
from urllib.parse import urlencode, urlsplit

from holdfast.formats.notes import parse_vkey
from holdfast.formats.promises import SignedPromise, signed_promise_of
from holdfast.formats.spelling import decimal
from holdfast.kernel.errors import (
    BusyError,
    ConfigurationError,
    ConflictError,
    HoldfastError,
    MalformedError,
    RefusedError,
    VerificationError,
)
from holdfast.kernel.names import EnvironmentName, Stream
from holdfast.kernel.secrets import Secret
from holdfast.vault.sending import Piece, Standing

_SECONDS = 60.0
_ANSWER_BYTES = 1 << 16
_CHUNK_BYTES = 64 << 20
_RETRY_LATER = {408, 429, 500, 502, 503, 504}


class HttpNode:
    """A node, spoken to as one sender into one stream."""

    def __init__(
        self,
        url: str,
        token: Secret,
        environment: EnvironmentName,
        stream: Stream,
        sender: str,
        promise_key: str | None = None,
    ) -> None:
        """`promise_key` is the node's promise verifier key: with it every promise is verified before it is kept."""
        self._scheme, self._host, self._port = parse_url(url)
        self._token = token
        self._environment = environment
        self._place = {"environment": environment, "stream": stream.value, "sender": sender}
        if promise_key is not None:
            parse_vkey(promise_key)  # a wrong one is said before anything is sent
        self._promise_key = promise_key
        self._connection: http.client.HTTPConnection | None = None

    def send(self, name: str, file_id: str, piece: Piece) -> SignedPromise | Standing:
        """The promise for the piece, or where the node stands if this is not its next one."""
        query = {**self._place, "file": name, "id": file_id, "offset": str(piece.offset)}
        if piece.final:
            query["final"] = "1"
        status, value = self._request("POST", "/v1/lines?" + urlencode(query), piece.data)
        if status == 409 and isinstance(value.get("position"), Mapping):
            return self._standing(value["position"])
        if status != 200:
            _raise(status, value)
        return self._promise(value)

    def standing(self, file_id: str) -> Standing:
        """Where the node stands with a file."""
        status, value = self._request("GET", "/v1/positions?" + urlencode({**self._place, "id": file_id}), None)
        if status != 200:
            _raise(status, value)
        return self._standing(value)

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _standing(self, value: object) -> Standing:
        if not isinstance(value, Mapping) or "expected" not in value:
            raise MalformedError("answer", "the node's answer does not read")
        if value["expected"] is None:
            return Standing(None)
        try:
            offset, expected = decimal(value["offset"]), decimal(value["expected"])
            digest = bytes.fromhex(value["digest"])
        except (KeyError, TypeError, ValueError):
            raise MalformedError("answer", "the node's answer does not read") from None
        if not 0 < expected - offset <= _CHUNK_BYTES or len(digest) != hashlib.sha256().digest_size:
            raise MalformedError("answer", "the node's answer does not read")
        return Standing(expected, offset, digest, self._promise(value.get("promise")))

    def _promise(self, value: object) -> SignedPromise:
        promise = signed_promise_of(value)  # type: ignore[arg-type]  # it is JSON: it was just parsed
        if promise.promise.environment != self._environment:
            raise VerificationError("promise-environment", "the node promised lines of another environment")
        if self._promise_key is not None:
            promise.verify(self._promise_key)
        return promise

    def _request(self, method: str, target: str, body: bytes | None) -> tuple[int, Mapping[str, object]]:
        """One exchange. A connection that the node closed while it was idle is replaced once, at once."""
        for fresh in (self._connection is None, True):
            try:
                return self._exchange(method, target, body)
            except (OSError, http.client.HTTPException) as error:
                self.close()
                if isinstance(error, ssl.SSLCertVerificationError):
                    raise ConfigurationError("certificate", "the node's certificate is not trusted") from None
                if fresh:
                    break
        raise BusyError("no-answer", "the node does not answer")

    def _exchange(self, method: str, target: str, body: bytes | None) -> tuple[int, Mapping[str, object]]:
        if self._connection is None:
            kind = http.client.HTTPSConnection if self._scheme == "https" else http.client.HTTPConnection
            self._connection = kind(self._host, self._port, timeout=_SECONDS)
        headers = {"Authorization": f"Bearer {self._token.reveal().decode()}", "Content-Type": "text/plain"}
        try:
            self._connection.request(method, target, body, headers)
        except (BrokenPipeError, ConnectionResetError):
            # The node may have answered (refused) before it had read all: its answer says more than the broken pipe.
            if self._connection.sock is None:
                raise
        response = self._connection.getresponse()
        data = response.read(_ANSWER_BYTES + 1)
        if len(data) > _ANSWER_BYTES or response.will_close:
            self.close()
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            value = None
        return response.status, {"retry-after": response.headers.get("Retry-After"), **_object(value)}


def parse_url(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of a node's URL. ConfigurationError if it is not `http(s)://host[:port]`."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        extra = parts.path.rstrip("/") or parts.query or parts.fragment or parts.username or parts.password
        if parts.scheme in ("http", "https") and parts.hostname and not extra:
            return parts.scheme, parts.hostname, port
    except ValueError:
        pass
    raise ConfigurationError("node-url", "the node is given as http://host:port or https://host:port")


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _raise(status: int, value: Mapping[str, object]) -> NoReturn:
    if status in _RETRY_LATER:
        wait = value.get("retry-after")
        seconds = int(wait) if isinstance(wait, str) and wait.isascii() and wait.isdigit() and len(wait) < 4 else 0
        raise BusyError("not-now", "the node is busy", status=status, retry_after=seconds)
    if status == 413:
        raise ConfigurationError("chunk-size", "the node takes only smaller bodies than are sent; raise its limit")
    if status == 401:
        raise RefusedError("token", "the node does not know this token")
    families: Mapping[int, type[HoldfastError]] = {400: MalformedError, 403: RefusedError, 409: ConflictError}
    error = _object(value.get("error"))
    code, message = error.get("code"), error.get("message")
    if status in families and isinstance(code, str) and isinstance(message, str) and (code + message).isprintable():
        raise families[status](code[:64], message[:200])
    raise MalformedError("answer", "the node's answer was not expected; is this URL a Holdfast node's?", status=status)

"""Whether a process will be able to listen where its settings say, found out before it starts its work."""

import socket

from holdfast.kernel.errors import ConfigurationError
from holdfast.wiring.configuration import Settings


def require_free(settings: Settings, prefix: str) -> None:
    """Nothing, if every listener whose setting begins so can be had.

    ConfigurationError `address-taken` with the setting's name: another program listens there, the address is not this
    machine's, or the port needs a privilege.
    """
    for name, listener in settings.listeners():
        if not name.startswith(prefix):
            continue
        family = socket.AF_INET6 if ":" in listener.address else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind(listener.place)
                trial.listen(1)
            except OSError as error:
                raise ConfigurationError(
                    "address-taken",
                    "a listener cannot be had",
                    setting=name,
                    place=str(listener),
                    cause=error.strerror or type(error).__name__,
                ) from None

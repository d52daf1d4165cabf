"""A keeper begun: master key, first epoch key, database, the platform's own places, the recorder's token.

Every step leaves alone what is there, so that an interrupted `init` is finished by the next one; only the recorder's
token is made anew, and earlier ones end.
"""

import hashlib
from concurrent.futures import ThreadPoolExecutor

from django.db import transaction

from holdfast.access.ports import Clock, Randomness
from holdfast.database import models, nodes
from holdfast.database.opening import close_database, open_database
from holdfast.database.registers import begin_register
from holdfast.drivers.epochfiles import EpochFiles, begin_epoch
from holdfast.keeper.masterkey import begin_master_key, read_master_key
from holdfast.keeper.paths import KeeperPaths
from holdfast.kernel.names import Installation
from holdfast.kernel.secrets import Secret

TOKEN_BYTES = 32
FIRST_EPOCH = 1


def initialise(paths: KeeperPaths, installation: Installation, *, clock: Clock, randomness: Randomness) -> Secret:
    """Make everything a keeper needs that is not there; the recorder's token (ASCII text), to be kept by the gateway.

    Folders are made 0700, files 0600. ConfigurationError if what is there does not fit together.
    """
    for folder in (paths.master_key.parent, paths.folder, paths.epochs, paths.run):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    begin_master_key(paths.master_key, randomness)
    master_key = read_master_key(paths.master_key)
    if not any(paths.epochs.glob("*.epoch")):
        begin_epoch(paths.epochs, installation, master_key, FIRST_EPOCH, randomness)
    EpochFiles(paths.epochs, installation, master_key)
    token = f"hf_{randomness.bytes(TOKEN_BYTES).hex()}".encode()
    # A thread of its own: the connection belongs to it, and the caller's may have an event loop.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(_fill, paths, hashlib.sha256(token).hexdigest(), clock).result()
    return Secret(token)


def _fill(paths: KeeperPaths, recorder_digest: str, clock: Clock) -> None:
    open_database(paths.database)
    try:
        with transaction.atomic():
            begin_register()
            models.IntakeToken.objects.filter(kind=models.TokenKind.RECORDER.value).update(active=False)
            nodes.add_token(recorder_digest, "recorder", models.TokenKind.RECORDER, None, clock.now())
    finally:
        close_database()

"""Where the keeper's things lie in a home."""

from dataclasses import dataclass
from pathlib import Path

ROLES = ("node", "gateway", "console", "operator")
POLICIES = Path(__file__).parent / "policies"
"""The policies that come with the package."""


@dataclass(frozen=True, slots=True)
class KeeperPaths:
    """Master key, database, epoch keys, and the folder of the sockets `keeper-<role>.sock`."""

    master_key: Path
    folder: Path
    run: Path

    @classmethod
    def under(cls, home: Path) -> "KeeperPaths":
        """The places in a home."""
        return cls(home / "keys" / "master.key", home / "keeper", home / "run")

    @property
    def database(self) -> Path:
        """The one SQLite database."""
        return self.folder / "keeper.sqlite3"

    @property
    def epochs(self) -> Path:
        """The folder of wrapped epoch keys: never in a backup of the database."""
        return self.folder / "epochs"

    @property
    def lock(self) -> Path:
        """Held by the one keeper that runs."""
        return self.folder / "keeper.lock"

    def socket(self, role: str) -> Path:
        """The socket of a role."""
        return self.run / f"keeper-{role}.sock"

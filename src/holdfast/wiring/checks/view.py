"""What a check is given: the open vault, and what was recomputed of it just before."""

from dataclasses import dataclass

from holdfast.vault.findings import Report
from holdfast.wiring.vaults import OpenVault


@dataclass(frozen=True)
class View:
    """The running system, as an operator may look at it. `report` is that of a verification of everything held."""

    vault: OpenVault
    report: Report

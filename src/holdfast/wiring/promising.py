"""Names of promise keys."""

from holdfast.kernel.names import Installation, NodeName


def promise_key_name(installation: Installation, node: NodeName) -> str:
    """The name a node's promises are signed under (formats.promises)."""
    return f"{installation}/{node}/promise"

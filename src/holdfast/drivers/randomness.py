"""The kernel's randomness."""

import secrets


class SystemRandomness:
    """Unpredictable bytes, from getrandom(2)."""

    def bytes(self, count: int) -> bytes:
        """That many."""
        return secrets.token_bytes(count)

"""glibc's allocator, told to keep the pages that a flush needs again a moment later.

A flush allocates and frees tens of megabytes in large blocks. By default each is its own mapping, given back at once
and faulted in again by the next flush: a sixth of the node's CPU time went there. Elsewhere than on glibc this does
nothing.
"""

import contextlib
import ctypes

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -2, -3, -8


def keep_pages() -> None:
    """Call once, before threads start."""
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_MMAP_THRESHOLD, 1 << 30)
        mallopt(_TRIM_THRESHOLD, 256 << 20)
        mallopt(_TOP_PAD, 16 << 20)
        mallopt(_ARENA_MAX, 2)

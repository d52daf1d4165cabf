"""The node process: listeners → guard → journal (fsync, then acknowledge) → tree, log, segments. See `serving`."""

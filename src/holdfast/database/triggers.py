"""Rules kept by the database itself that CHECK and UNIQUE cannot say, for each vendor.

Segments of one (environment, stream, node) do not overlap. As those held do not, the one with the greatest first line
before the new one's end is the only one that can.
"""

_SQLITE = (
    """
    CREATE TRIGGER segment_no_overlap BEFORE INSERT ON database_segment
    WHEN (SELECT first + count FROM database_segment
          WHERE environment_id = NEW.environment_id AND stream = NEW.stream AND node_id = NEW.node_id
            AND first < NEW.first + NEW.count
          ORDER BY first DESC LIMIT 1) > NEW.first
    BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: segment_no_overlap'); END
    """,
    """
    CREATE TRIGGER key_stays_destroyed BEFORE UPDATE ON database_keyrecord
    WHEN OLD.state = 'destroyed'
    BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: key_stays_destroyed'); END
    """,
    """
    CREATE TRIGGER key_record_stays BEFORE DELETE ON database_keyrecord
    BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: key_record_stays'); END
    """,
    """
    CREATE TRIGGER event_stays BEFORE UPDATE ON database_event
    BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: event_stays'); END
    """,
    """
    CREATE TRIGGER event_is_kept BEFORE DELETE ON database_event
    BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: event_is_kept'); END
    """,
    """
    CREATE TRIGGER log_entry_stays BEFORE UPDATE ON database_logentry
    WHEN OLD."index" IS NOT NULL OR NEW.entry IS NOT OLD.entry
    BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: log_entry_stays'); END
    """,
    """
    CREATE TRIGGER log_entry_is_kept BEFORE DELETE ON database_logentry
    BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: log_entry_is_kept'); END
    """,
)

_POSTGRESQL = (
    "CREATE EXTENSION IF NOT EXISTS btree_gist",
    """
    ALTER TABLE database_segment ADD CONSTRAINT segment_no_overlap EXCLUDE USING gist
    (environment_id WITH =, stream WITH =, node_id WITH =, int8range(first, first + count) WITH &&)
    """,
    """
    CREATE FUNCTION holdfast_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '%', TG_NAME USING ERRCODE = 'check_violation'; END $$
    """,
    """
    CREATE TRIGGER key_stays_destroyed BEFORE UPDATE ON database_keyrecord FOR EACH ROW
    WHEN (OLD.state = 'destroyed') EXECUTE FUNCTION holdfast_stays()
    """,
    """
    CREATE TRIGGER key_record_stays BEFORE DELETE ON database_keyrecord FOR EACH ROW
    EXECUTE FUNCTION holdfast_stays()
    """,
    """
    CREATE TRIGGER event_stays BEFORE UPDATE OR DELETE ON database_event FOR EACH ROW EXECUTE FUNCTION holdfast_stays()
    """,
    """
    CREATE TRIGGER log_entry_stays BEFORE UPDATE ON database_logentry FOR EACH ROW
    WHEN (OLD.index IS NOT NULL OR NEW.entry IS DISTINCT FROM OLD.entry) EXECUTE FUNCTION holdfast_stays()
    """,
    """
    CREATE TRIGGER log_entry_is_kept BEFORE DELETE ON database_logentry FOR EACH ROW
    EXECUTE FUNCTION holdfast_stays()
    """,
)


def statements(vendor: str) -> tuple[str, ...]:
    """The statements for `sqlite` or `postgresql`."""
    return {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}[vendor]

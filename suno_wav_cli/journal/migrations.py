"""The tables, and the steps to them from every earlier version.

A new file takes every step too, so each run of the tests does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from suno_wav_cli.errors import UsageError

if TYPE_CHECKING:
    import sqlite3

_VERSION_1 = """
CREATE TABLE conversion (
    id            INTEGER PRIMARY KEY,
    service       TEXT NOT NULL,
    audio_id      TEXT,
    music_task_id TEXT,
    wav_task_id   TEXT,
    state         TEXT NOT NULL,
    target        BLOB,
    wav_url       TEXT,
    bytes         INTEGER,
    message       TEXT,
    created       REAL NOT NULL,
    updated       REAL NOT NULL
);
CREATE UNIQUE INDEX one_row_a_task ON conversion (service, wav_task_id);
CREATE INDEX conversions_of_a_song ON conversion (service, audio_id, id);
CREATE INDEX music_task_of_a_song ON conversion (audio_id, id) WHERE music_task_id IS NOT NULL;
CREATE INDEX conversions_to_a_target ON conversion (target);
"""

# Version 1 knew only sunoapi, which keeps files for 15 days, and the sandbox on this machine. It did not record when a
# task was accepted, but the row was made a moment before.
_VERSION_2 = """
ALTER TABLE conversion ADD COLUMN provider TEXT NOT NULL DEFAULT 'sunoapi';
ALTER TABLE conversion ADD COLUMN expires REAL;
ALTER TABLE conversion ADD COLUMN credits_before TEXT;
UPDATE conversion SET provider = 'sandbox' WHERE service LIKE 'http://%';
UPDATE conversion SET expires = created + 15 * 86400 WHERE wav_task_id IS NOT NULL;
CREATE TABLE place (
    conversion INTEGER NOT NULL REFERENCES conversion,
    path       BLOB NOT NULL,
    PRIMARY KEY (conversion, path)
) WITHOUT ROWID;
INSERT INTO place SELECT id, target FROM conversion WHERE target IS NOT NULL AND bytes IS NOT NULL;
CREATE TABLE track (
    audio_id      TEXT PRIMARY KEY,
    music_task_id TEXT NOT NULL,
    title         TEXT,
    tags          TEXT,
    duration      REAL
) WITHOUT ROWID;
CREATE INDEX conversions_by_song ON conversion (audio_id, id);
CREATE INDEX conversions_by_task ON conversion (wav_task_id);
CREATE INDEX conversions_by_state ON conversion (state, id);
"""

# What a part file holds, and of which file: the evidence tells it from another file under its name. Each saved file has
# a size and digest of its own, because one copy may have tags and another none.
_VERSION_3 = """
ALTER TABLE place ADD COLUMN bytes INTEGER;
ALTER TABLE place ADD COLUMN sha256 TEXT;
UPDATE place SET bytes = (SELECT bytes FROM conversion WHERE id = conversion);
CREATE TABLE part (
    path       BLOB PRIMARY KEY,
    conversion INTEGER NOT NULL REFERENCES conversion,
    validator  TEXT NOT NULL,
    length     INTEGER,
    missing    TEXT NOT NULL,
    evidence   TEXT NOT NULL
) WITHOUT ROWID;
"""

# What was answered to a paid request, what it really cost, and which run has made it: whether that still runs tells a
# request that is on its way from one whose answer was lost.
_VERSION_4 = """
ALTER TABLE conversion ADD COLUMN credits TEXT;
ALTER TABLE conversion ADD COLUMN answer TEXT;
ALTER TABLE conversion ADD COLUMN candidates TEXT NOT NULL DEFAULT '';
ALTER TABLE conversion ADD COLUMN run TEXT;
"""

# The window of submissions, which all programs share. The trigger gives a slot back in the very transaction that records
# the answer. An outcome that is unknown has had an answer only if that is kept.
_VERSION_5 = """
CREATE TABLE slot (
    conversion INTEGER PRIMARY KEY REFERENCES conversion,
    service    TEXT NOT NULL,
    due        REAL NOT NULL,
    counted    REAL NOT NULL
);
CREATE INDEX slots_of_a_service ON slot (service);
CREATE TRIGGER slot_of_answer AFTER UPDATE OF state ON conversion
WHEN OLD.state = 'submitting' AND (NEW.state <> 'unknown' OR NEW.answer IS NOT NULL)
BEGIN UPDATE slot SET counted = min(counted, NEW.updated) WHERE conversion = NEW.id; END;
"""

# Files that were sent to object stores: recorded before their bytes leave, and again before the local file goes.
_VERSION_6 = """
CREATE TABLE upload (
    conversion INTEGER NOT NULL REFERENCES conversion,
    target     BLOB NOT NULL,
    bytes      INTEGER NOT NULL,
    sha256     TEXT NOT NULL,
    state      TEXT NOT NULL,
    run        TEXT,
    updated    REAL NOT NULL,
    PRIMARY KEY (conversion, target)
) WITHOUT ROWID;
"""

_STEPS = (_VERSION_1, _VERSION_2, _VERSION_3, _VERSION_4, _VERSION_5, _VERSION_6)
SCHEMA_VERSION = len(_STEPS)


def bring_up_to_date(connection: sqlite3.Connection) -> None:
    """Make or upgrade the tables in one transaction: a crash leaves the earlier version whole.

    Raise UsageError for a journal that a newer program wrote.
    """
    if version_of(connection) == SCHEMA_VERSION:
        return
    # Read again inside the transaction: another program may be doing the same.
    connection.execute("BEGIN IMMEDIATE")
    for version, step in enumerate(_STEPS[version_of(connection) :], version_of(connection) + 1):
        for statement in step.split(";\n"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {version}")
    connection.execute("COMMIT")


def version_of(connection: sqlite3.Connection) -> int:
    """Return the schema's version, 0 without any table.

    Raise UsageError for a journal that a newer program wrote.
    """
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > SCHEMA_VERSION:
        raise UsageError(
            "the journal was written by a newer suno-wav",
            "Upgrade suno-wav, or name another folder: SUNO_WAV_HOME=FOLDER",
        )
    return version

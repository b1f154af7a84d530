"""What a rule erases of recordings, of talk and of viewings: rows with their files, never what is held."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.integration.ingest_rig import Rig, rig
from tests.services import TestBroker, TestDatabase
from xunlu_platform.jobs.erased_files import ErasedFiles
from xunlu_platform.store import housekeeping
from xunlu_platform.store.store import Store

pytestmark = pytest.mark.integration

SUBJECTS = ("recording", "burst", "viewing", "voice_note")
KINDS = ("old", "held", "new")
_AT = "now() - age_days * interval '1 day'"


@pytest_asyncio.fixture
async def made(database: TestDatabase, broker: TestBroker) -> AsyncIterator[Rig]:
    """Of every subject something old, something old that is held, and something new."""
    async with rig(database, broker) as one:
        did = await one.device()
        ages = "(values ('old', 1200, null), ('held', 1200, 'case 7'), ('new', 1, null)) v (id, age_days, hold)"
        device = f"device d cross join {ages} where d.did = %s"
        recording = (
            "insert into recording (id, device_id, why, file, started_at, ended_at, size_bytes, sha256, complete, hold)"
            f" select v.id, d.id, 'hand', 'r/' || v.id || '.mp4', now(), {_AT}, 1, repeat('0', 64), true, hold from "
        )
        burst = (
            "insert into burst (id, gid, unit_id, talker, grant_number, urgency, file, started_at, ended_at,"
            " size_bytes, sha256, lost, complete, hold) select v.id, 'g', d.unit_id, 'x', 1, 0,"
            f" 'ptt/' || v.id || '.opus', now(), {_AT}, 1, repeat('0', 64), 0, true, hold from "
        )
        viewing = f"insert into viewing (id, device_id, asked_at) select v.id, d.id, {_AT} from "
        for statement in (recording, burst, viewing):
            await one.connection.execute(statement + device, [did])
        await one.connection.execute(
            "insert into account (username, display_name, password_hash, role, unit_id) "
            "select 'desk', 'desk', 'x', 'dispatcher', unit_id from device where did = %s",
            [did],
        )
        await one.connection.execute(
            "insert into message (id, unit_id, target, speak, account_id, username) "
            f"select v.id, d.unit_id, d.did, true, a.id, 'desk' from account a cross join {device}",
            [did],
        )
        await one.connection.execute(
            "insert into voice_note (message_id, created_at, media_type, duration_s, size_bytes, sha256, sound, hold)"
            f" select id, {_AT}, 'audio/ogg', 1, 1, repeat('0', 64), 'x', hold from {ages}"
        )
        yield one


@pytest_asyncio.fixture
async def store(database: TestDatabase) -> AsyncIterator[Store]:
    async with Store(database.dsn("jobs")) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, suffix in (("r", ".mp4"), ("ptt", ".opus")):
        (tmp_path / name).mkdir()
        for kind in KINDS:
            (tmp_path / name / f"{kind}{suffix}").write_bytes(b"x")
            (tmp_path / name / f"{kind}.json").write_bytes(b"{}")
    return tmp_path


async def switch_on(made: Rig, subject: str) -> int:
    """Switch a rule on and look at its dry run; returns how many it would erase."""
    await made.connection.execute("update retention_rule set enabled = true where subject = %s", [subject])
    rows = await made.rows("select rows_affected from preview_retention(%s)", subject)
    return int(rows[0]["rows_affected"])


@pytest.mark.parametrize("subject", SUBJECTS)
async def test_a_rule_erases_what_is_old_and_not_held_and_says_so(made: Rig, store: Store, subject: str) -> None:
    promised = await switch_on(made, subject)
    [run] = await housekeeping.apply_retention(store)
    # A viewing is a line of a list: nothing holds it.
    kept = {"new"} if subject == "viewing" else {"new", "held"}
    assert (run["subject"], run["rows_affected"], promised) == (subject, promised, len(KINDS) - len(kept))
    key = "message_id" if subject == "voice_note" else "id"
    left = {row["id"] for row in await made.rows(f"select {key} as id from {subject}")}
    assert left == kept
    audited = await made.rows("select username, target, detail -> 'rows' as rows from audit")
    assert audited == [{"username": "jobs", "target": subject, "rows": promised}]
    assert len(await made.rows("select from message")) == len(KINDS)


async def test_files_go_with_their_rows_and_with_their_reports(made: Rig, store: Store, folder: Path) -> None:
    for subject in ("recording", "burst"):
        await switch_on(made, subject)
    await housekeeping.apply_retention(store)
    assert (folder / "r" / "old.mp4").exists()
    # Whoever was killed here goes on with the next run; so does a run whose file somebody took away.
    (folder / "ptt" / "old.opus").unlink()
    await ErasedFiles(store, folder).erase()
    assert names(folder / "r") == {"held.mp4", "held.json", "new.mp4", "new.json"}
    assert names(folder / "ptt") == {"held.opus", "held.json", "new.opus", "new.json"}
    assert await made.rows("select from file_to_erase") == []


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def test_a_file_that_the_disk_keeps_is_tried_again_and_holds_up_no_others(
    made: Rig, store: Store, folder: Path
) -> None:
    await switch_on(made, "recording")
    await housekeeping.apply_retention(store)
    stuck = folder / "r" / "old.mp4"
    stuck.unlink()
    stuck.mkdir()
    await made.connection.execute("insert into file_to_erase (file) values ('z.mp4')")
    with pytest.raises(OSError, match="directory"):
        await ErasedFiles(store, folder).erase()
    assert await housekeeping.files_to_erase(store, limit=10) == ["r/old.mp4"]
    stuck.rmdir()
    await ErasedFiles(store, folder).erase()
    assert await housekeeping.files_to_erase(store, limit=10) == []


async def test_nothing_outside_of_the_recordings_is_erased(made: Rig, store: Store, folder: Path) -> None:
    secret = folder.parent / f"{folder.name}-secret"
    secret.write_text("nobody's business")
    await made.connection.execute("insert into file_to_erase (file) values (%s)", [f"../{secret.name}"])
    await ErasedFiles(store, folder).erase()
    assert secret.exists()
    assert await housekeeping.files_to_erase(store, limit=10) == []

"""What is handed over: a ZIP that plays by itself in any browser, and proves where everything in it comes from."""

import asyncio
import contextlib
import hashlib
import json
import shutil
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import gpxpy
import pytest
import pytest_asyncio
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from playwright.async_api import Page, expect

from tests.chromium import chromium
from tests.console.review_scene import write_film
from tests.integration.api_client import Caller, Platform
from tests.integration.incident_rig import film, make_incident
from tests.integration.review_rig import HAPPENED, running_bureau, walk
from tests.processes import platform_environment, running
from tests.services import TestBroker, TestDatabase
from tests.sound import voice_note
from xunlu_gis.formats import playback
from xunlu_platform.export import positions
from xunlu_platform.jobs.exports import Exports
from xunlu_platform.store.store import Store

pytestmark = pytest.mark.integration

WAIT_S = 50.0
FILM_S = 20
CLOCK_MS = "document.getElementById('scrub').valueAsNumber"
FILM_MS = "(Date.parse('2026-03-02T07:10:00Z') + document.querySelector('#footage video').currentTime * 1000)"


@pytest_asyncio.fixture
async def platform(database: TestDatabase, broker: TestBroker, tmp_path: Path) -> AsyncIterator[Platform]:
    folders = {name: tmp_path / name for name in ("recordings", "exports")}
    async with running_bureau(database, broker, **folders) as running_one:
        yield running_one


async def scene(platform: Platform, tmp_path: Path) -> None:
    """An hour of R1 with a gap, a recording that can be played, one whose file is gone, and a burst."""
    await walk(platform, 1, "07:00", seconds=1500)
    await walk(platform, 1, "07:35", seconds=1500, sid=2)
    await platform.sql(HAPPENED.partition("insert into recording")[0])
    write_film(tmp_path / "made.mp4", FILM_S)
    await film(platform, video=(tmp_path / "made.mp4").read_bytes(), sound=voice_note(4, "ogg"))


async def becomes_true(page: Page, expression: str) -> None:
    """Wait for what a script sees; the page itself may not evaluate any."""
    async with asyncio.timeout(WAIT_S):
        while True:
            if await page.evaluate(expression):
                return
            await asyncio.sleep(0.05)


async def asked(caller: Caller, incident: int, language: str = "zh-CN") -> dict[str, Any]:
    answer = await caller.post(f"/incidents/{incident}/exports", json={"language": language})
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def begun(caller: Caller, incident: int, export: str) -> None:
    """Wait until somebody works on it."""
    async with asyncio.timeout(WAIT_S):
        while True:
            if (await caller.get(f"/incidents/{incident}/exports/{export}")).json()["state"] != "queued":
                return
            await asyncio.sleep(0.005)


async def ended(caller: Caller, incident: int, export: str) -> dict[str, Any]:
    """Wait until it is made, or not."""
    async with asyncio.timeout(WAIT_S):
        while True:
            found: dict[str, Any] = (await caller.get(f"/incidents/{incident}/exports/{export}")).json()
            if found["state"] not in {"queued", "running"}:
                return found
            await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def working(platform: Platform) -> AsyncIterator[None]:
    """The jobs of exports, as the jobs process runs them."""
    async with Store(platform.database.dsn("jobs"), connections_max=2) as store:
        jobs = Exports(platform.services.settings, store).rhythm()

        async def run() -> None:
            while True:
                # Old ones go first, so that what is made is made beside them.
                for _, _, job in reversed(jobs):
                    await job()
                await asyncio.sleep(0.05)

        task = asyncio.create_task(run())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def unpacked(platform: Platform, tmp_path: Path, caller: Caller, incident: int) -> Path:
    """Export, fetch and unpack."""
    async with working(platform):
        done = await ended(caller, incident, (await asked(caller, incident))["id"])
    assert done["state"] == "done", done
    answer = await caller.get(f"/incidents/{incident}/exports/{done['id']}/file")
    assert hashlib.sha256(answer.content).hexdigest() == done["sha256"]
    (tmp_path / "handed.zip").write_bytes(answer.content)
    with zipfile.ZipFile(tmp_path / "handed.zip") as file:
        file.extractall(tmp_path / "handed")
    return tmp_path / "handed"


def check(folder: Path) -> None:
    """As a stranger checks it: the signature, then every file."""
    key = load_pem_public_key((folder / "public-key.pem").read_bytes())
    assert isinstance(key, Ed25519PublicKey)
    manifest = (folder / "manifest.json").read_bytes()
    key.verify((folder / "manifest.sig").read_bytes(), manifest)
    for one in json.loads(manifest)["files"]:
        if hashlib.sha256((folder / one["path"]).read_bytes()).hexdigest() != one["sha256"]:
            raise InvalidSignature(one["path"])


async def test_every_file_is_proven_and_a_changed_byte_is_found(platform: Platform, tmp_path: Path) -> None:
    await scene(platform, tmp_path)
    caller = await platform.sign_in("dispatcher", unit=2)
    made = await make_incident(caller)
    await caller.post(f"/incidents/{made['id']}/notes", json={"text": "家属已联系"})
    folder = await unpacked(platform, tmp_path, caller, made["id"])
    check(folder)
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    named = {one["path"] for one in manifest["files"]}
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert there - named == {"manifest.json", "manifest.sig"}
    key = (await platform.client.get("/api/v1/export-key")).json()
    assert manifest["key"]["fingerprint_sha256"] == key["fingerprint"]
    assert (folder / "public-key.pem").read_text("utf-8") == key["pem"]
    assert key["fingerprint"] in (folder / "README.txt").read_text("utf-8")
    assert manifest["incident"]["notes"][0]["text"] == "家属已联系"
    for name in ("index.html", "manifest.json", "media/rec-1.mp4", "data/o1-R1.csv"):
        path = folder / name
        whole = path.read_bytes()
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        with pytest.raises(InvalidSignature):
            check(folder)
        path.write_bytes(whole)
    check(folder)


async def test_openssl_checks_it_as_the_readme_says(platform: Platform, tmp_path: Path) -> None:
    if not (shutil.which("openssl") and shutil.which("sha256sum")):
        pytest.skip("OpenSSL or sha256sum is not installed")
    await scene(platform, tmp_path)
    caller = await platform.sign_in("supervisor")
    folder = await unpacked(platform, tmp_path, caller, (await make_incident(caller))["id"])
    readme = (folder / "README.txt").read_text("utf-8")
    checks = [line.split() for line in readme.splitlines() if line.startswith(("  openssl pkeyutl", "  sha256sum"))]
    assert len(checks) == 4
    for command in checks:
        done = await asyncio.create_subprocess_exec(*command, cwd=folder, stdout=asyncio.subprocess.DEVNULL)
        assert await done.wait() == 0
    (folder / "manifest.json").write_bytes((folder / "manifest.json").read_bytes() + b" ")
    done = await asyncio.create_subprocess_exec(*checks[0], cwd=folder, stdout=asyncio.subprocess.DEVNULL)
    assert await done.wait() != 0


async def test_sources_are_compared_with_what_was_registered(platform: Platform, tmp_path: Path) -> None:
    await scene(platform, tmp_path)
    await platform.sql("update burst set sha256 = repeat('f', 64)")
    caller = await platform.sign_in("supervisor")
    folder = await unpacked(platform, tmp_path, caller, (await make_incident(caller))["id"])
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert [(one["id"], one["state"], one["file"]) for one in manifest["sources"]] == [
        ("rec-1", "matches", "media/rec-1.mp4"), ("b-1", "changed", "media/b-1.opus"), ("rec-2", "missing", None)
    ]  # fmt: skip
    page = (folder / "index.html").read_text("utf-8")
    assert "文件缺失" in page
    assert "与登记时不同" in page


async def test_positions_are_those_that_were_measured(platform: Platform, tmp_path: Path) -> None:
    await scene(platform, tmp_path)
    await platform.sql("update position set lat = 0, lon = 0 where fix_at = '2026-03-02T07:05:00Z'")
    caller = await platform.sign_in("supervisor")
    folder = await unpacked(
        platform, tmp_path, caller, (await make_incident(caller, subjects=["o1", "o2", "dR2"]))["id"]
    )
    assert {path.name for path in (folder / "data").iterdir()} == {
        *(f"o1-R1{end}" for end in (".gpx", ".kml", ".geojson", ".csv", "-cleaning.csv")),
        *(f"R2{end}" for end in (".gpx", ".kml", ".geojson", ".csv", "-cleaning.csv")),
    }
    assert (folder / "data" / "o1-R1.csv").read_text("utf-8").count("\n") == 601
    read = gpxpy.parse((folder / "data" / "o1-R1.gpx").read_text("utf-8"))
    assert sum(len(piece.points) for track in read.tracks for piece in track.segments) == 600
    assert "2026-03-02T07:05:00+00:00,1,25500,zero,false" in (folder / "data" / "o1-R1-cleaning.csv").read_text("utf-8")
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert (manifest["datum"], manifest["cleaning"]["speed_max_mps"]) == ("WGS-84", "60.0")
    assert [gap["reason"] for gap in manifest["subjects"][0]["gaps"]] != []


async def test_whoever_is_out_of_view_is_named_and_the_export_goes_on(platform: Platform, tmp_path: Path) -> None:
    await scene(platform, tmp_path)
    caller = await platform.sign_in("dispatcher", unit=2)
    made = await make_incident(caller, subjects=["o1", "o2"])
    await platform.sql("update officer set unit_id = 3 where id = 2")
    folder = await unpacked(platform, tmp_path, caller, made["id"])
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert ([one["subject"] for one in manifest["subjects"]], manifest["subjects_missing"]) == (["o1"], ["o2"])
    assert "已不在可见范围内" in (folder / "index.html").read_text("utf-8")


async def test_what_a_rule_erased_is_named_on_the_page_and_in_the_manifest(platform: Platform, tmp_path: Path) -> None:
    await scene(platform, tmp_path)
    await platform.sql(
        "insert into erasure (subject, id, device_id, officer_id, since, until, erased_at) values ('recording', 'r-0',"
        " 1, 1, '2026-03-02T07:02:00Z', '2026-03-02T07:04:00Z', '2026-09-01T00:00:00Z')"
    )
    caller = await platform.sign_in("dispatcher", unit=2)
    folder = await unpacked(platform, tmp_path, caller, (await make_incident(caller))["id"])
    [erased] = json.loads((folder / "manifest.json").read_text("utf-8"))["erased"]
    assert (erased["what"], erased["did"], erased["name"]) == ("recording", "R1", "王小明")
    assert "王小明 R1 的服务器录像已于 2026-09-01 按保存期限清除" in (folder / "index.html").read_text("utf-8")


async def test_a_clock_that_jumped_back_harms_nothing(platform: Platform, tmp_path: Path) -> None:
    await scene(platform, tmp_path)
    await platform.sql("update recording set ended_at = started_at - interval '1 h' where id = 'rec-1'")
    # A later session tells the same minutes again, and a part of it the very same moments.
    await walk(platform, 1, "07:00", seconds=600, step=4, sid=3)
    caller = await platform.sign_in("supervisor")
    check(await unpacked(platform, tmp_path, caller, (await make_incident(caller))["id"]))


async def test_it_plays_in_a_browser_without_any_network(platform: Platform, tmp_path: Path) -> None:
    await scene(platform, tmp_path)
    caller = await platform.sign_in("supervisor")
    made = await make_incident(caller)
    mark = {"at": "2026-03-02T07:10:03Z", "subject": "o1", "text": "发现儿童"}
    await caller.post(f"/incidents/{made['id']}/marks", json=mark)
    folder = await unpacked(platform, tmp_path, caller, made["id"])
    async with chromium() as browser:
        context = await browser.new_context(offline=True, viewport={"width": 1440, "height": 900})
        page = await context.new_page()
        requests: list[str] = []
        complaints: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda told: complaints.append(told.text) if told.type == "error" else None)
        await page.goto((folder / "index.html").as_uri())
        panel = page.locator("aside")
        for words in ("王小明 D2001", "关键环节: 发现儿童", "标记", "文件缺失", "东街中队"):
            await expect(panel).to_contain_text(words)
        await panel.get_by_role("button", name="15:10:03").first.click()
        video = page.locator("#footage video")
        await expect(video).to_have_js_property("currentTime", 3)
        await page.locator("#speed").select_option("4")
        await page.locator("#play").click()
        await becomes_true(page, "document.querySelector('#footage video').currentTime > 6")
        await becomes_true(page, f"Math.abs({CLOCK_MS} - {FILM_MS}) < 1000")
        await page.locator("#play").click()
        await panel.get_by_role("button", name="15:15:00").first.click()
        await expect(page.locator("#footage audio")).to_have_count(1)
        assert complaints == []
        assert [url for url in requests if not url.startswith(("data:", folder.as_uri()))] == []


async def test_a_worker_that_is_killed_loses_no_export(
    platform: Platform, database: TestDatabase, broker: TestBroker, tmp_path: Path
) -> None:
    await scene(platform, tmp_path)
    caller = await platform.sign_in("supervisor")
    made = await make_incident(caller)
    export = await asked(caller, made["id"])
    folders = {name: tmp_path / name for name in ("recordings", "exports")}
    environment = platform_environment(database, broker, **folders)
    async with running("xunlu_platform", "jobs", environment=environment, log=tmp_path / "jobs.log") as process:
        await begun(caller, made["id"], export["id"])
        process.kill()
        await process.wait()
    # What it leaves: a row that says it is worked on, and perhaps half a file. Half a minute later it is anybody's.
    await platform.sql("update incident_export set heard_at = now() - interval '30 s'")
    async with running("xunlu_platform", "jobs", environment=environment):
        assert (await ended(caller, made["id"], export["id"]))["state"] == "done"
    assert [path.name for path in (tmp_path / "exports").iterdir()] == [f"{export['id']}.zip"]


async def test_an_export_that_fails_or_was_begun_by_whoever_was_killed_leaves_nothing_on_the_disk(
    platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene(platform, tmp_path)
    caller = await platform.sign_in("supervisor")
    made = await make_incident(caller)
    folder = tmp_path / "exports"
    folder.mkdir()
    export = (await asked(caller, made["id"]))["id"]
    await platform.sql("update incident_export set state = 'running', heard_at = now() - interval '30 s'")
    for left in (f"{export}.0.part", "nobodys.zip", "nobodys.1.part"):
        (folder / left).write_bytes(b"half of it")
    monkeypatch.setattr(positions, "FIXES_MAX", 100)
    async with working(platform):
        done = await ended(caller, made["id"], export)
    assert (done["state"], done["why"], list(folder.iterdir())) == ("failed", "too-much", [])


async def test_what_no_page_can_hold_is_refused_before_anything_is_copied(
    platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene(platform, tmp_path)
    monkeypatch.setattr(playback, "ENTRIES_MAX", 3)
    caller = await platform.sign_in("supervisor")
    made = await make_incident(caller)
    async with working(platform):
        done = await ended(caller, made["id"], (await asked(caller, made["id"]))["id"])
    assert (done["state"], done["why"], done["done_bytes"]) == ("failed", "too-much", 0)


async def test_what_fails_again_and_again_is_given_up(platform: Platform) -> None:
    caller = await platform.sign_in("supervisor")
    made = await make_incident(caller)
    export = await asked(caller, made["id"])
    again = await caller.post(f"/incidents/{made['id']}/exports", json={})
    assert (again.status_code, again.json()["errors"][0]["reason"]) == (409, "export-waits")
    await platform.sql("update incident_export set attempts = 3")
    async with working(platform):
        done = await ended(caller, made["id"], export["id"])
    assert (done["state"], done["why"]) == ("failed", "gave-up")
    assert (await caller.get(f"/incidents/{made['id']}/exports/{export['id']}/file")).status_code == 404


async def test_an_export_that_does_not_fit_says_so_and_an_old_one_is_erased(platform: Platform, tmp_path: Path) -> None:
    await scene(platform, tmp_path)
    caller = await platform.sign_in("supervisor")
    made = await make_incident(caller)
    await unpacked(platform, tmp_path, caller, made["id"])
    await platform.sql("update incident_export set finished_at = now() - interval '20 days'")
    await platform.sql("update recording set size_bytes = 20000000000 where id = 'rec-1'")
    async with working(platform):
        done = await ended(caller, made["id"], (await asked(caller, made["id"]))["id"])
        assert (done["state"], done["why"]) == ("failed", "disk")
    states = [one["state"] for one in (await caller.get(f"/incidents/{made['id']}/exports")).json()]
    assert (states, list((tmp_path / "exports").iterdir())) == (["failed", "erased"], [])

"""The configuration in force: taken over whole or not at all, and kept."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.xunlu_edge.rig import bench_database
from xunlu_edge.shadow import ShadowKeeper
from xunlu_edge.situation import Situation


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    database = bench_database(tmp_path)
    yield database
    database.close()


def desired(version: int, **config: object) -> bytes:
    return json.dumps({"version": version, "config": config}).encode()


def test_a_desired_version_is_taken_over_and_reported(database: sqlite3.Connection) -> None:
    situation = Situation()
    keeper = ShadowKeeper(database, situation)
    assert keeper.desire(desired(1, moving_s=3))
    assert (keeper.reported.version, situation.config.moving_s) == (1, 3)


def test_the_version_in_force_needs_no_report(database: sqlite3.Connection) -> None:
    keeper = ShadowKeeper(database, Situation())
    keeper.desire(desired(1, moving_s=3))
    assert not keeper.desire(desired(1, moving_s=3))
    assert not keeper.desire(b"")


def test_a_configuration_survives_a_restart(database: sqlite3.Connection) -> None:
    ShadowKeeper(database, Situation()).desire(desired(4, still_s=60))
    situation = Situation()
    assert ShadowKeeper(database, situation).reported.version == 4
    assert situation.config.still_s == 60


@pytest.mark.parametrize("payload", [b"{", desired(2, moving_s=-1), desired(-1), b'{"version": 2}'])
def test_what_breaks_its_bounds_is_refused_whole_and_the_report_says_why(
    database: sqlite3.Connection, payload: bytes
) -> None:
    situation = Situation()
    keeper = ShadowKeeper(database, situation)
    keeper.desire(desired(1, moving_s=3))
    assert keeper.desire(payload)
    assert keeper.reported.version == 1
    assert keeper.reported.why
    assert situation.config.moving_s == 3
    assert keeper.desire(desired(1, moving_s=3))
    assert keeper.reported.why is None


def test_an_unreadable_stored_configuration_gives_the_initial_one(database: sqlite3.Connection) -> None:
    database.execute("insert into document (name, body) values ('shadow', 'not json')")
    assert ShadowKeeper(database, Situation()).reported.version == 0

"""Secrets and first logins: random, private, the same at every start."""

from pathlib import Path

import pytest

from xunlu_deploy.errors import DeployError
from xunlu_deploy.logins import Login, parse_logins, read_logins, write_logins
from xunlu_deploy.state import EXPORT_KEY, MEDIA_KEY, SECRETS, State


def test_every_secret_is_its_own_file_that_only_its_owner_may_read(tmp_path: Path) -> None:
    state = State(tmp_path)
    state.make_secrets()
    files = [state.secrets / name for name in SECRETS]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert len({path.read_text("utf-8") for path in files}) == len(SECRETS)


def test_a_secret_stays_the_same(tmp_path: Path) -> None:
    assert State(tmp_path).secret("db-api") == State(tmp_path).secret("db-api")


@pytest.mark.parametrize("name", [MEDIA_KEY, EXPORT_KEY])
def test_a_signing_key_is_made_once_and_the_public_one_follows_from_the_private(tmp_path: Path, name: str) -> None:
    state = State(tmp_path)
    state.make_secrets()
    private, public = state.secrets / name, state.secrets / f"{name}.pub"
    made = private.read_text("utf-8"), public.read_text("utf-8")
    assert private.stat().st_mode & 0o777 == 0o600
    public.unlink()
    State(tmp_path).make_secrets()
    assert (private.read_text("utf-8"), public.read_text("utf-8")) == made
    private.unlink()
    State(tmp_path).make_secrets()
    assert private.read_text("utf-8") != made[0]
    assert public.read_text("utf-8") != made[1]


def test_logins_are_read_from_among_log_lines() -> None:
    lines = [
        '{"ts": "…", "message": "made"}',
        '{"role": "dispatcher", "username": "wang", "password": "a b"}',
        "12:00:00 INFO done",
        "[]",
    ]
    assert parse_logins(lines) == [Login(role="dispatcher", username="wang", password="a b")]


def test_logins_are_remembered(tmp_path: Path) -> None:
    file = tmp_path / "secrets" / "demo-logins.json"
    assert read_logins(file) is None
    logins = [Login(role="administrator", username="admin", password="x")]
    write_logins(file, logins)
    assert read_logins(file) == logins
    assert file.stat().st_mode & 0o777 == 0o600


def test_damaged_logins_say_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "demo-logins.json"
    file.write_text("[{}]", "utf-8")
    with pytest.raises(DeployError, match="remove it"):
        read_logins(file)

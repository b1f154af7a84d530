"""Identity: told once, kept safe."""

import stat
from pathlib import Path

import pytest

from xunlu_edge.identity import FILE_NAME, Identity, load_identity, store_identity
from xunlu_kit.errors import ConfigError

ME = Identity(did="d-1", tenant="main", username="d-1", password="secret")


def test_an_identity_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    assert load_identity(tmp_path / "state") is None
    store_identity(tmp_path / "state", ME)
    assert load_identity(tmp_path / "state") == ME
    assert stat.S_IMODE((tmp_path / "state" / FILE_NAME).stat().st_mode) == 0o600


def test_the_password_is_never_shown() -> None:
    assert "secret" not in repr(ME)


def test_a_damaged_identity_is_an_error_and_not_a_second_claim(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("{")
    with pytest.raises(ConfigError, match="administrator"):
        load_identity(tmp_path)

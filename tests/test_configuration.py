"""The page of settings is what the code says."""

import pytest
from pydantic_settings import BaseSettings

from tests.repository import ROOT
from xunlu_deploy.configuration import document, settings_classes


def test_the_page_is_current() -> None:
    assert (ROOT / "docs" / "configuration.md").read_text("utf-8") == document(), "make docs"


@pytest.mark.parametrize("settings", settings_classes(), ids=lambda settings: settings.__name__)
def test_every_setting_is_described_and_frozen(settings: type[BaseSettings]) -> None:
    assert settings.model_config.get("frozen")
    assert not [name for name, field in settings.model_fields.items() if not field.description]

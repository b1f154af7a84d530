"""The production path says what the one-command path does."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.repository import ROOT
from xunlu_deploy.broker import MessageBroker, TlsListener
from xunlu_deploy.configuration import settings_classes
from xunlu_deploy.runtime import Runtime
from xunlu_deploy.state import State

UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.*"))


def limits(configuration: str) -> set[str]:
    """The lines that do not name a place."""
    places = r"^(#|plugin|persistence_location|listener|certfile|keyfile|$)"
    return {line for line in configuration.splitlines() if not re.match(places, line)}


def test_the_broker_of_the_composition_has_our_limits(tmp_path: Path) -> None:
    bin_folder = Path("/usr/bin")
    runtime = Runtime(
        postgres_bin=bin_folder, mosquitto=bin_folder, dynamic_security=bin_folder, mosquitto_bin=bin_folder
    )
    for name in ("server.pem", "server.key"):
        (tmp_path / name).write_text("")
    tls = TlsListener(port=2, certificate=tmp_path / "server.pem", key=tmp_path / "server.key")
    MessageBroker(runtime=runtime, state=State(tmp_path), port=1, tls=tls).prepare()
    ours = (tmp_path / "broker" / "mosquitto.conf").read_text("utf-8")
    theirs = (ROOT / "deploy" / "mosquitto" / "mosquitto.conf").read_text("utf-8")
    assert limits(ours) == limits(theirs)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_names_programs_that_exist(unit: Path) -> None:
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    for program in re.findall(r"^ExecStart=\S+/(\S+)", unit.read_text("utf-8"), re.MULTILINE):
        assert f'\n{program} = "' in project


def test_every_variable_of_the_containers_is_a_setting() -> None:
    known = {
        f"{settings.model_config['env_prefix']}{name}".upper()
        for settings in settings_classes()
        for name in settings.model_fields
    }
    for name in ("compose.yaml", "Dockerfile"):
        text = (ROOT / "deploy" / name).read_text("utf-8")
        assert set(re.findall(r"XUNLU_(?:PLATFORM|STREAMING|DEPLOY)_[A-Z_]+", text)) <= known, name


def test_the_setup_script_is_valid_shell() -> None:
    for script in ("deploy/setup", ".ci/run"):
        subprocess.run(["/bin/bash", "-n", str(ROOT / script)], check=True)

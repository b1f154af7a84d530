"""Settings of one machine, and the block of ports."""

from pathlib import Path

import pytest

from xunlu_deploy.processes import Plan, endpoints
from xunlu_deploy.settings import DeploySettings
from xunlu_deploy.state import State
from xunlu_kit.errors import ConfigError


def plan(**values: object) -> Plan:
    settings = DeploySettings.model_validate(values)
    where = endpoints(settings, Path("/state/tls/ca.pem"))
    return Plan(settings=settings, state=State(Path("/state")), where=where)


def test_short_names_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "9000")
    monkeypatch.setenv("RECORDERS", "50")
    monkeypatch.setenv("XUNLU_STATE", "/elsewhere")
    monkeypatch.setenv("XUNLU_MAP", "")
    settings = DeploySettings.load()
    assert (settings.port, settings.recorders, settings.state) == (9000, 50, Path("/elsewhere"))
    assert settings.map is None


def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "http")
    with pytest.raises(ConfigError, match="PORT"):
        DeploySettings.load()


def test_a_certificate_without_its_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XUNLU_DEPLOY_TLS_CERTIFICATE", "/c.pem")
    with pytest.raises(ConfigError, match="belong together"):
        DeploySettings.load()


def test_every_listener_lies_in_one_block_and_none_twice() -> None:
    ports = plan(port=9000, workers=4).ports()
    assert len(ports) == 10
    assert set(ports) == set(range(9000, 9010))


def test_running_services_are_used_and_their_ports_left_free() -> None:
    external = plan(port=9000, database_host="db.example", broker_host="mqtt.example")
    environment = external.platform_environment()
    assert environment["XUNLU_PLATFORM_DATABASE_HOST"] == "db.example"
    assert environment["XUNLU_PLATFORM_BROKER_PORT"] == "8883"
    assert not {9002, 9003, 9004} & set(external.ports())


def test_https_is_for_both_services() -> None:
    secure = plan(tls_certificate="/c.pem", tls_key="/k.pem")
    environments = {process.name: process.environment for process in secure.servers()}
    assert environments["api"]["XUNLU_PLATFORM_TLS_KEY"] == "/k.pem"
    assert environments["streaming"]["XUNLU_STREAMING_TLS_KEY"] == "/k.pem"

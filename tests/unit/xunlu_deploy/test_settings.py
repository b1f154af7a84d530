"""Settings of one machine, and the block of ports."""

from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from xunlu_deploy.processes import Plan, addresses, endpoints
from xunlu_deploy.settings import PORTS, DeploySettings
from xunlu_deploy.state import State
from xunlu_kit.errors import ConfigError
from xunlu_platform.config import PlatformSettings
from xunlu_streaming.config import StreamingSettings
from xunlu_streaming.record.config import RecordSettings
from xunlu_streaming.talk.config import TalkSettings


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
    whole = plan(port=9000, workers=4, relays=4)
    tcp, udp = whole.ports(), whole.media_ports()
    assert (len(tcp), len(udp)) == (15, 5)
    assert set(tcp) | set(udp) == set(range(9000, 9000 + PORTS))


def test_platform_and_relays_know_the_same_list_of_workers() -> None:
    whole = plan(port=9000, relays=3, public_host="127.0.0.1", media_hosts=("192.0.2.1", "2001:db8::1"))
    environments = {process.name: process.environment for process in whole.servers()}
    urls = "http://127.0.0.1:9001,http://127.0.0.1:9011,http://127.0.0.1:9012"
    assert environments["api"]["XUNLU_PLATFORM_STREAMING_URLS"] == urls
    for number in (1, 2, 3):
        relay = environments[f"relay-{number}"]
        assert relay["XUNLU_STREAMING_WORKERS"] == urls
        assert relay["XUNLU_STREAMING_NUMBER"] == str(number)
        assert urls.split(",")[number - 1].endswith(f":{relay['XUNLU_STREAMING_PORT']}")
        assert relay["XUNLU_STREAMING_MEDIA_PORT"] == str(9013 + number)
        assert relay["XUNLU_STREAMING_MEDIA_HOSTS"] == "192.0.2.1,2001:db8::1"
    folders = {environments["record"]["XUNLU_STREAMING_RECORDINGS"], environments["api"]["XUNLU_PLATFORM_RECORDINGS"]}
    assert folders == {"/state/recordings"}


def test_the_platform_knows_where_the_talk_server_listens() -> None:
    environments = {process.name: process.environment for process in plan(port=9000, public_host="::1").servers()}
    assert environments["api"]["XUNLU_PLATFORM_TALK_URL"] == "http://[::1]:9010"
    assert environments["jobs"]["XUNLU_PLATFORM_TALK_URL"] == "http://[::1]:9010"
    talk = environments["ptt"]
    assert (talk["XUNLU_STREAMING_TALK_PORT"], talk["XUNLU_STREAMING_TALK_MEDIA_PORT"]) == ("9010", "9019")
    assert talk["XUNLU_STREAMING_MEDIA_HOSTS"] == "::1"
    assert talk["XUNLU_STREAMING_RUN"] == environments["record"]["XUNLU_STREAMING_RUN"]


def test_a_process_is_told_nothing_that_its_settings_do_not_take() -> None:
    takers: dict[str, type[BaseSettings]] = {"relay": StreamingSettings, "record": RecordSettings, "ptt": TalkSettings}
    for process in plan(relays=2).servers():
        taker = takers.get(process.name.partition("-")[0], PlatformSettings)
        prefix = taker.model_config["env_prefix"]
        assert {name.removeprefix(prefix).lower() for name in process.environment} <= set(taker.model_fields)


def test_media_addresses_are_those_of_the_public_name() -> None:
    assert addresses("192.0.2.7") == ["192.0.2.7"]
    assert addresses("127.0.0.1") == ["127.0.0.1"]
    assert addresses("name.invalid")


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
    assert environments["relay-1"]["XUNLU_STREAMING_TLS_KEY"] == "/k.pem"

"""Linux hardware, read from a tree that looks like sysfs: what is not there is absent."""

import json
import os
import struct
from pathlib import Path

import pytest

from tests.unit.xunlu_edge.rig import HandClock
from xunlu_edge.errors import DeviceError
from xunlu_edge.hardware import Charge, Reception
from xunlu_edge.linux import find_hardware
from xunlu_edge.linux.battery import find_battery
from xunlu_edge.linux.display import SHOWN_MAX, FolderDisplay
from xunlu_edge.linux.keys import EV_KEY, EVENT, InputKeys
from xunlu_edge.linux.lamps import find_lamps
from xunlu_edge.linux.machine import LinuxMachine
from xunlu_edge.linux.radio import find_radio
from xunlu_edge.linux.storage import Volume
from xunlu_edge.linux.thermometer import find_thermometer
from xunlu_edge.settings import DEFAULT_KEYS, AgentSettings
from xunlu_kit.errors import ConfigError

WIRELESS = """Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE
 face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22
 wlan0: 0000   58.  -52.  -256        0      0      0      0      0        0
"""


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "ascii")
    return root


def test_an_empty_machine_has_no_capability_but_its_rate(tmp_path: Path) -> None:
    hardware = find_hardware(AgentSettings(gnss="tcp://127.0.0.1:2947"), HandClock(), root=tmp_path)
    assert (hardware.battery, hardware.cell, hardware.thermometer, hardware.lamps) == (None, None, None, None)
    assert {"record", "photo", "lock", "reboot"}.isdisjoint(hardware.capabilities)
    assert "track_interval" in hardware.capabilities


@pytest.mark.parametrize(
    ("capacity", "status", "charge"),
    [
        ("81\n", "Discharging\n", Charge(percent=81, state=1)),
        ("100\n", "Full\n", Charge(percent=100, state=3)),
        ("12\n", "Charging\n", Charge(percent=12, state=2)),
        ("?\n", "Unknown\n", Charge(percent=None, state=0)),
    ],
)
def test_the_battery_is_the_supply_that_says_it_is_one(
    tmp_path: Path, capacity: str, status: str, charge: Charge
) -> None:
    folder = "sys/class/power_supply"
    files = {f"{folder}/AC/type": "Mains\n", f"{folder}/BAT/type": "Battery\n"}
    found = find_battery(tree(tmp_path, {**files, f"{folder}/BAT/capacity": capacity, f"{folder}/BAT/status": status}))
    assert found is not None
    assert found.read() == charge


def test_the_hottest_plausible_zone_is_the_temperature(tmp_path: Path) -> None:
    zone = "sys/class/thermal/thermal_zone"
    found = find_thermometer(
        tree(tmp_path, {f"{zone}0/temp": "41500\n", f"{zone}1/temp": "52300\n", f"{zone}2/temp": "-274000"})
    )
    assert found is not None
    assert found.read() == 52.3


def test_wifi_tells_its_level_and_a_modem_comes_first(tmp_path: Path) -> None:
    radio = find_radio(tree(tmp_path, {"proc/net/wireless": WIRELESS}))
    assert radio is not None
    assert radio.read() == Reception(signal_dbm=-52, network="wifi")
    tree(tmp_path, {"sys/class/net/wwan0/operstate": "up\n"})
    assert radio.read() == Reception(network="mobile")


async def test_lamps_are_leds_by_name_and_switch(tmp_path: Path) -> None:
    leds = "sys/class/leds"
    files = {
        f"{leds}/white:torch/{name}": value for name, value in {"brightness": "0", "max_brightness": "255"}.items()
    }
    files |= {f"{leds}/ir-cut/{name}": value for name, value in {"brightness": "1", "max_brightness": "1"}.items()}
    files[f"{leds}/mmc0::/brightness"] = "0"
    # Nobody can switch it: it has no brightness.
    files[f"{leds}/laser/max_brightness"] = "1"
    lamps = find_lamps(tree(tmp_path, files))
    assert lamps is not None
    assert lamps.names == {"white", "ir"}
    await lamps.switch("white", on=True)
    assert (lamps.read().white, lamps.read().ir, lamps.read().laser) == (True, True, None)
    assert (tmp_path / leds / "white:torch/brightness").read_text() == "255"


def test_storage_is_the_space_of_the_volume_and_none_when_it_is_gone(tmp_path: Path) -> None:
    space = Volume(tmp_path).read()
    assert 0 < space.free_bytes <= space.total_bytes
    assert Volume(tmp_path / "gone").read().total_bytes == 0


def test_uptime_is_read_and_a_reboot_is_offered_only_under_systemd(tmp_path: Path) -> None:
    machine = LinuxMachine(tree(tmp_path, {"proc/uptime": "5400.12 1000.0\n"}))
    assert (machine.uptime_s(), machine.can_reboot) == (5400, False)


def press(code: int, value: int, kind: int = EV_KEY) -> bytes:
    return EVENT.pack(0, 0, kind, code, value)


async def test_presses_become_signals_and_releases_nothing(tmp_path: Path) -> None:
    pipe = tmp_path / "event0"
    os.mkfifo(pipe)
    writer = os.open(pipe, os.O_RDWR)
    sos, mark = DEFAULT_KEYS["sos"], DEFAULT_KEYS["mark"]
    os.write(writer, press(sos, 1) + press(sos, 2) + press(sos, 0) + press(30, 1) + press(mark, 1) + press(0, 0, 0))
    signals = InputKeys(pipe, DEFAULT_KEYS, HandClock()).signals()
    assert [await anext(signals), await anext(signals)] == ["sos", "mark"]
    os.close(writer)


def test_the_key_of_push_to_talk_goes_down_and_up() -> None:
    keys = InputKeys(Path("event0"), DEFAULT_KEYS, HandClock())
    code = DEFAULT_KEYS["ptt"]
    assert keys.decode(press(code, 1) + press(code, 2) + press(code, 0)) == ["ptt", "ptt_release"]
    assert keys.decode(press(DEFAULT_KEYS["mark"], 0)) == []


def test_push_to_talk_needs_a_key_a_microphone_and_a_loudspeaker(tmp_path: Path) -> None:
    sound = {"audio": "alsa://default", "loudspeaker": "default"}
    whole = {"gnss": "tcp://127.0.0.1:2947", "keys_device": Path("event0"), **sound}
    assert "ptt" in find_hardware(AgentSettings.model_validate(whole), HandClock(), root=tmp_path).capabilities
    for missing in ("keys_device", "audio", "loudspeaker"):
        settings = AgentSettings.model_validate({name: whole[name] for name in whole if name != missing})
        assert "ptt" not in find_hardware(settings, HandClock(), root=tmp_path).capabilities


def files(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_orders_are_handed_to_the_screen_program_until_it_takes_nothing_away(tmp_path: Path) -> None:
    display = FolderDisplay(tmp_path)
    await display.show("回中队", "林晓")
    [name] = files(tmp_path)
    order = json.loads((tmp_path / name).read_text("utf-8"))
    assert (order["text"], order["by"]) == ("回中队", "林晓")
    for _ in range(SHOWN_MAX - 1):
        await display.show("x", None)
    with pytest.raises(DeviceError, match="screen program"):
        await display.show("x", None)
    (tmp_path / name).unlink()
    await display.show("x", None)


def test_an_input_event_has_the_kernels_size() -> None:
    assert EVENT.size == struct.calcsize("@llHHi")


def test_a_key_that_does_not_exist_is_named() -> None:
    with pytest.raises(ConfigError, match="jump"):
        InputKeys(Path("event0"), {"jump": 1}, HandClock())

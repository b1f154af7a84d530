"""Hardware of a Linux recorder, found by looking: what is not there is absent, never pretended."""

import logging
from pathlib import Path

from xunlu_edge.gnss.source import open_receiver
from xunlu_edge.hardware import Hardware
from xunlu_edge.linux.battery import find_battery
from xunlu_edge.linux.display import FolderDisplay
from xunlu_edge.linux.keys import InputKeys
from xunlu_edge.linux.lamps import find_lamps, find_watched_led
from xunlu_edge.linux.loudspeaker import AlsaLoudspeaker
from xunlu_edge.linux.machine import LinuxMachine
from xunlu_edge.linux.radio import find_radio
from xunlu_edge.linux.speaker import find_speaker
from xunlu_edge.linux.storage import Volume
from xunlu_edge.linux.thermometer import find_thermometer
from xunlu_edge.media.shared_microphone import SharedMicrophone
from xunlu_edge.media.sources import find_microphone, find_video, is_media_installed
from xunlu_edge.settings import AgentSettings
from xunlu_kit.clock import Clock

__all__ = ["find_hardware"]

log = logging.getLogger(__name__)


def find_hardware(settings: AgentSettings, clock: Clock, *, root: Path = Path("/")) -> Hardware:
    """What this machine offers.

    Args:
        settings: receiver, key device, evidence folder, camera, microphone and loudspeaker.
        clock: for waiting.
        root: where `sys`, `proc` and `usr` lie; another folder in tests.

    Raises:
        ConfigError: the setting of the receiver, the camera or the microphone cannot be understood.
    """
    video = find_video(settings.video, settings.serial, clock.time_ms) if settings.video is not None else None
    if video is not None and not is_media_installed():
        log.warning("no live video: install the extra `media`", extra={"video": settings.video})
        video = None
    return Hardware(
        gnss=open_receiver(settings.gnss, clock),
        battery=find_battery(root),
        storage=Volume(settings.evidence) if settings.evidence is not None else None,
        cell=find_radio(root),
        thermometer=find_thermometer(root),
        keys=InputKeys(settings.keys_device, settings.key_codes, clock) if settings.keys_device is not None else None,
        video=video,
        microphone=SharedMicrophone(find_microphone(settings.audio)) if settings.audio is not None else None,
        loudspeaker=_loudspeaker(settings),
        watched=find_watched_led(root, settings.watched_led) if settings.watched_led is not None else None,
        speaker=find_speaker(),
        display=FolderDisplay(settings.display) if settings.display is not None else None,
        lamps=find_lamps(root),
        system=LinuxMachine(root),
    )


def _loudspeaker(settings: AgentSettings) -> AlsaLoudspeaker | None:
    if settings.loudspeaker is None:
        return None
    if not is_media_installed():
        log.warning("no push-to-talk: install the extra `media`", extra={"loudspeaker": settings.loudspeaker})
        return None
    return AlsaLoudspeaker(settings.loudspeaker)

"""Words of the stand-alone page, and its times."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from xunlu_gis.formats.playback import Language, Playback, Reason

WORDS: Final[Mapping[Language, Mapping[str, str]]] = {
    "zh-CN": {
        "play": "播放",
        "pause": "暂停",
        "speed": "倍速",
        "skip": "跳过断点",
        "clock": "时间",
        "officers": "队员",
        "gaps": "断点",
        "stops": "停留",
        "happenings": "事件",
        "recordings": "录像",
        "bursts": "讲话",
        "blank": "无画面",
        "remarks": "备注",
        "about": "说明",
        "points": "个定位",
        "nowhere": "无定位",
        "zone": "责任区",
        "datum": "坐标系",
        "wgs84": "WGS-84（与 CGCS2000 相差厘米级）",
        "period": "时段",
        "offset": "时区",
        "exported": "导出",
        "none": "无",
    },
    "en": {
        "play": "Play",
        "pause": "Pause",
        "speed": "Speed",
        "skip": "Skip gaps",
        "clock": "Time",
        "officers": "Officers",
        "gaps": "Gaps",
        "stops": "Stops",
        "happenings": "Events",
        "recordings": "Recordings",
        "bursts": "Bursts",
        "blank": "no picture for",
        "remarks": "Notes",
        "about": "About",
        "points": "positions",
        "nowhere": "no position",
        "zone": "Zone",
        "datum": "Datum",
        "wgs84": "WGS-84 (CGCS2000 agrees to centimetres)",
        "period": "Period",
        "offset": "Offset",
        "exported": "Exported",
        "none": "none",
    },
}

REASONS: Final[Mapping[Language, Mapping[Reason, str]]] = {
    "zh-CN": {
        "on_air": "在线",
        "back_filled": "补传",
        "no_fix": "无定位",
        "no_signal": "无信号",
        "off_planned": "关机（计划内）",
        "off_unplanned": "关机（计划外）",
        "server_down": "平台停机",
        "unknown": "原因不明",
    },
    "en": {
        "on_air": "on air",
        "back_filled": "back-filled",
        "no_fix": "no fix",
        "no_signal": "no signal",
        "off_planned": "off (planned)",
        "off_unplanned": "off (unplanned)",
        "server_down": "server down",
        "unknown": "reason not known",
    },
}


def clock(at: datetime, playback: Playback) -> str:
    """Local time with its date; the page names the offset once."""
    return f"{at.astimezone(playback.zone):%Y-%m-%d %H:%M:%S}"


def duration(seconds: float) -> str:
    """`1:02:03`."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"

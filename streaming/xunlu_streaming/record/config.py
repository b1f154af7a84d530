"""Settings of the recorder process: `XUNLU_STREAMING_…`, beside those that it shares with the relay."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from xunlu_streaming.config import MediaSettings


class RecordSettings(MediaSettings):
    """What `xunlu-streaming record` needs besides."""

    recordings: Path = Field(Path("recordings"), description="Folder of the recordings; one recorder process owns it.")
    record_always: bool = Field(False, description="Whether every live path is recorded, ordered or not.")
    record_split_s: Annotated[int, Field(ge=10, le=86_400)] = Field(
        600, description="Seconds after which a recording goes on in a new file, at the next keyframe."
    )
    record_free_bytes_min: Annotated[int, Field(ge=0)] = Field(
        2_000_000_000, description="Bytes that stay free on the disk of the recordings; below it recording stops."
    )
    record_queue_bytes_max: Annotated[int, Field(ge=100_000, le=1_000_000_000)] = Field(
        8_000_000,
        description="Bytes of one recording that may wait for the disk; what comes then is missing, and said so.",
    )
    recordings_max: Annotated[int, Field(ge=1, le=5000)] = Field(200, description="Recordings at once.")
    record_bursts_max: Annotated[int, Field(ge=1, le=5000)] = Field(500, description="Bursts of push-to-talk at once.")
    record_burst_s_max: Annotated[int, Field(ge=5, le=3600)] = Field(
        60,
        description="Seconds after which a burst, such as a long private call, goes on in a new file, and of silence "
        "after which one is over whose end was lost.",
    )
    record_health_host: str = Field("127.0.0.1", description="Address of the recorder's health page.")
    record_health_port: Annotated[int, Field(ge=0, le=65_535)] = Field(
        0, description="Port of that page; 0 picks a free one."
    )

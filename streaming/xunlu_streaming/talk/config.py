"""Settings of the talk server: `XUNLU_STREAMING_…`, beside those that it shares with the relay."""

from typing import Annotated

from pydantic import Field

from xunlu_streaming.config import ReachedSettings
from xunlu_streaming.talk.floor import Timers


class TalkSettings(ReachedSettings):
    """What `xunlu-streaming ptt` needs besides."""

    talk_host: str = Field("127.0.0.1", description="Address that the talk server listens on for `/ptt`.")
    talk_port: Annotated[int, Field(ge=1, le=65_535)] = Field(8010, description="Port of `/ptt`.")
    talk_media_port: Annotated[int, Field(ge=0, le=65_535)] = Field(
        8019, description="UDP port of its media; 0 picks one."
    )
    talk_participants_max: Annotated[int, Field(ge=1, le=100_000)] = Field(2000, description="Participants at once.")
    talk_opening_max: Annotated[int, Field(ge=1, le=10_000)] = Field(
        100, description="Participants that have not shaken hands yet; others are told when to come again."
    )
    talk_groups_max: Annotated[int, Field(ge=1, le=100_000)] = Field(5000, description="Groups that are known.")
    talk_log_max: Annotated[int, Field(ge=100, le=1_000_000)] = Field(
        10_000, description="Entries of the floor log that wait for the database; of more the oldest are lost, counted."
    )
    talk_linger_s: Annotated[float, Field(ge=0, le=60)] = Field(
        5, description="Seconds that somebody stays whose WebSocket broke off, so that a talker may change its address."
    )
    talk_end_of_media_s: Annotated[float, Field(ge=0.5, le=60)] = Field(
        4, description="T1: seconds without sound that are a release."
    )
    talk_longest_s: Annotated[float, Field(ge=1, le=3600)] = Field(30, description="T2: seconds of the longest burst.")
    talk_grace_s: Annotated[float, Field(ge=0, le=60)] = Field(
        3, description="T3: seconds from the revocation to the shut gate."
    )
    talk_retry_after_s: Annotated[float, Field(ge=0, le=600)] = Field(
        3, description="T9: seconds that whoever was revoked waits before it may ask again."
    )
    talk_queue_max: Annotated[int, Field(ge=1, le=1000)] = Field(20, description="Requests that wait in a group.")

    @property
    def timers(self) -> Timers:
        """Of every floor."""
        return Timers(
            end_of_media=self.talk_end_of_media_s,
            stop_talking=self.talk_longest_s,
            grace=self.talk_grace_s,
            retry_after=self.talk_retry_after_s,
            queue_max=self.talk_queue_max,
        )

"""Keeps what is said over push-to-talk: the talk server's bursts, a file each."""

from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path

from xunlu_protocol.talk_reports import BurstReport
from xunlu_streaming.record.burst import Burst, BurstFile
from xunlu_streaming.record.config import RecordSettings
from xunlu_streaming.record.keeper import Keeper
from xunlu_streaming.record.ledger import BurstDraft
from xunlu_streaming.record.measures import Measures
from xunlu_streaming.record.talk_client import TalkClient
from xunlu_streaming.tap_messages import EVERY_PATH, TapBurst

PLACE = "ptt"
"""Folder of bursts below the recordings."""
ID_LENGTH_MAX = 60
"""What leaves room for the number of a burst's further file within an identifier."""


class Bursts:
    """The one owner of the connection to the talk server and of running bursts; a `burst.Shelf`.

    Attributes:
        measures: what is counted.
        burst_us_max: age at which a burst goes on in a new file, and silence that ends one, microseconds.
        client: the connection; None while there is no talk server.
        wanted: whether bursts are kept now.
    """

    def __init__(self, settings: RecordSettings, keeper: Keeper[BurstDraft, BurstReport], measures: Measures) -> None:
        """Begin.

        Args:
            settings: of the process.
            keeper: of the files.
            measures: what is counted.
        """
        self.measures = measures
        self.burst_us_max = settings.record_burst_s_max * 1_000_000
        self.client: TalkClient | None = None
        self.wanted = True
        self._settings = settings
        self._keeper = keeper
        measures.bursts.set_function(lambda: len(keeper.running))

    def connect(self, file: Path) -> TalkClient:
        """The connection over a socket, not yet made."""
        self.client = TalkClient(file, self._begin, self._names, self._settings.record_bursts_max)
        return self.client

    def forget(self) -> None:
        """The talk server's socket is gone."""
        self.client = None

    def tick(self, *, wanted: bool) -> None:
        """Once a second.

        Args:
            wanted: whether bursts are to be kept.
        """
        self.wanted = wanted
        if self.client is None:
            return
        if wanted:
            self.client.sync()
            self.client.tick()
        else:
            self.client.leave()

    def _names(self) -> frozenset[str]:
        return frozenset({EVERY_PATH}) if self.wanted else frozenset()

    def _begin(self, told: TapBurst) -> Burst | None:
        return Burst(told, self) if self.wanted else None

    def open(self, told: TapBurst, started_us: int) -> BurstFile | None:
        """Begin a file; see `burst.Shelf`."""
        if not self._keeper.takes:
            return None
        folder = f"{PLACE}/{datetime.fromtimestamp(started_us / 1e6, UTC):%Y/%m/%d}/{told.gid}"
        name = self._free_name(told.id, folder)
        draft = BurstDraft(
            id=name,
            gid=told.gid,
            talker=told.talker,
            did=told.did,
            grant=told.grant,
            urgency=told.urgency,
            file=f"{folder}/{name}.opus",
            started_ms=started_us // 1000,
        )
        file = BurstFile(draft, told.name, started_us, self._settings.record_queue_bytes_max, self.measures)
        self._keeper.begin(file)
        return file

    def _free_name(self, wanted: str, folder: str) -> str:
        """The burst's own name, or one with a number: it goes on when it is long, or when we or the disk did not."""
        names = chain((wanted,), (f"{wanted[:ID_LENGTH_MAX]}-{number}" for number in count(2)))
        root = self._keeper.ledger.root
        return next(
            name for name in names if name not in self._keeper.running and not (root / folder / f"{name}.opus").exists()
        )

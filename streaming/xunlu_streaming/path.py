"""A path: one publication and everybody who receives it."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from xunlu_protocol.media import PathState
from xunlu_streaming.fanout import Stage
from xunlu_streaming.gathering import Gathering
from xunlu_streaming.layer import Kind, Layer, Outgoing, Track
from xunlu_streaming.meter import Meter
from xunlu_streaming.peer import Peer
from xunlu_streaming.shape import Shape

if TYPE_CHECKING:
    from xunlu_streaming.publisher import Publisher
    from xunlu_streaming.viewer import Viewer

log = logging.getLogger(__name__)


class Tap(Protocol):
    """A process of ours that takes a path in plain text: the recorder."""

    def began(self, path: "Path") -> None:
        """A publication begins."""

    def ended(self, path: "Path", why: str) -> None:
        """It ended."""

    def packets(self, path: "Path", burst: Sequence[Outgoing], arrival_us: int) -> None:
        """What was forwarded."""

    def report(self, path: "Path", kind: Kind, ntp: int, stamp: int) -> None:
        """A sender report, in the path's numbering."""


@dataclass(frozen=True, slots=True)
class Crowds:
    """Viewers by how they are served; made anew when one of them comes or goes.

    Attributes:
        plain: who gets the path's own numbers, by shape.
        switched: who has numbers of its own.
    """

    plain: Sequence[tuple[Shape, Sequence[Peer]]]
    switched: Sequence["Viewer"]

    @classmethod
    def of(cls, viewers: Sequence["Viewer"]) -> "Crowds":
        """Sort them."""
        shapes: dict[Shape, list[Peer]] = {}
        for viewer in viewers:
            if viewer.switch is None:
                shapes.setdefault(viewer.shape, []).append(viewer.peer)
        return cls(tuple(shapes.items()), [viewer for viewer in viewers if viewer.switch is not None])


class Path:
    """One path; everything in it happens in the worker's one loop, between two awaits.

    Attributes:
        name: of the device that publishes.
        exclusive: whether a second publisher is refused; otherwise it takes the place of the first.
        tracks: what viewers were promised, by kind; they outlive publications.
        publisher: who publishes now.
        publication: counts the publications.
        began_ms: UTC milliseconds of the present publication's beginning, or of the last one's end.
        viewers: by session.
        taps: processes that take it, and whether it is kept up for them.
        idle_since_s: since when nobody receives; None while somebody does.
    """

    def __init__(self, name: str, stage: Stage, changed: Callable[[], None], *, exclusive: bool = False) -> None:
        self.name = name
        self.exclusive = exclusive
        self.tracks: Mapping[Kind, Track] = {"video": Track("video"), "audio": Track("audio")}
        self.publisher: Publisher | None = None
        self.publication = 0
        self.began_ms = 0
        self.viewers: dict[str, Viewer] = {}
        self.taps: dict[Tap, bool] = {}
        self.idle_since_s: float | None = time.monotonic()
        self.meter = Meter()
        self._stage = stage
        self._changed = changed
        self._starting: list[Viewer] = []
        self._flowing: list[Viewer] = []
        self._crowds: Crowds | None = None
        self._turn = 0
        self._gathering = Gathering(self._forward)

    @property
    def wanted(self) -> bool:
        """Whether anybody receives it or waits for it."""
        return bool(self.viewers) or any(self.taps.values())

    # -- publication --------------------------------------------------------------------------------------------------

    def publish(self, publisher: "Publisher") -> None:
        """A publisher has shaken hands; it takes the place of whoever was here before."""
        self._gathering.release()
        if self.publisher is not None:
            self.publisher.peer.close("replaced")
        self.publisher = publisher
        # Whoever asked for it has the whole grace time to come, however long nobody was here before.
        self.idle_since_s = None if self.wanted else time.monotonic()
        self.publication += 1
        self.began_ms = time.time_ns() // 1_000_000
        self.meter = Meter()
        for viewer in self._flowing:
            viewer.paused()
        for viewer in (*self._flowing, *self._starting):
            viewer.dress()
        # A new encoder begins with a keyframe that everybody needs.
        self._starting += self._flowing
        self._flowing = []
        self._crowds = None
        for tap in self.taps:
            tap.began(self)
        self._changed()

    def unpublish(self, publisher: "Publisher", why: str) -> None:
        """Its publisher has ended."""
        if self.publisher is not publisher:
            return
        self._gathering.release()
        self.publisher = None
        self.began_ms = time.time_ns() // 1_000_000
        for tap in self.taps:
            tap.ended(self, why)
        self._changed()

    def forward(self, burst: Sequence[Outgoing]) -> None:
        """Send what has just arrived to everybody; a crowd gets each frame whole."""
        self._gathering.take(burst, len(self._flowing))

    def _forward(self, burst: Sequence[Outgoing]) -> None:
        self.meter.count(burst)
        if self._flowing:
            self._turn += 1
            if self._crowds is None:
                self._crowds = Crowds.of(self._flowing)
            self._send(burst, self._crowds, self._turn)
        if self._starting:
            self._start(burst)
        if self.taps:
            arrival_us = time.time_ns() // 1000
            for tap in self.taps:
                tap.packets(self, burst, arrival_us)

    def _send(self, burst: Sequence[Outgoing], crowds: Crowds, turn: int = 0) -> None:
        """Those who see the same numbers in the same dress are served together."""
        for shape, peers in crowds.plain:
            self._stage.send(shape.dress([one.packet for one in burst]), rotated(peers, turn))
        for viewer in crowds.switched:
            assert viewer.switch is not None
            self._stage.send(viewer.shape.dress(viewer.switch.choose(burst)), (viewer.peer,))

    def _start(self, burst: Sequence[Outgoing]) -> None:
        """Whoever waits begins with a keyframe; a publication without video has nothing to wait for."""
        if self.publisher is not None and "video" not in self.publisher.kinds:
            first = 0
        else:
            first = next((place for place, one in enumerate(burst) if one.keyframe), -1)
        if first < 0:
            return
        ready, self._starting = self._starting, []
        begun = burst[first:]
        self._send(begun, Crowds.of(ready))
        parts: dict[Layer, list[bytes]] = {}
        for one in begun:
            parts.setdefault(one.layer, []).append(one.packet)
        self._flow(ready, parts)

    def _flow(self, viewers: Sequence["Viewer"], begun: Mapping[Layer, Sequence[bytes]]) -> None:
        self._flowing += viewers
        self._crowds = None
        for viewer in viewers:
            viewer.began(begun)
            for track in self.tracks.values():
                for layer in track.layers.values():
                    if layer.report is not None:
                        viewer.send_report(layer, *layer.report)
        self._changed()

    def report(self, layer: Layer, ntp: int, stamp: int) -> None:
        """Pass a sender report on (RFC 3550 §6.4.1): the same instant in our numbering, for lip sync."""
        times = layer.translate_report(ntp, stamp)
        if times is None:
            return
        for viewer in self._flowing:
            viewer.send_report(layer, *times)
        for tap in self.taps:
            tap.report(self, layer.track.kind, *times)

    # -- viewers ------------------------------------------------------------------------------------------------------

    def join(self, viewer: "Viewer") -> None:
        """Somebody has asked to watch."""
        self.viewers[viewer.id] = viewer
        self.idle_since_s = None

    def ready(self, viewer: "Viewer", now_s: float) -> None:
        """A viewer has shaken hands: it gets the running group of pictures at once, or the next keyframe."""
        # What waits is in the group, too.
        self._gathering.release()
        viewer.dress()
        self._starting.append(viewer)
        if self.publisher is None:
            return
        video = self.tracks["video"].layers.get("")
        if video is not None and (group := video.group(now_s)):
            self._starting.remove(viewer)
            self._stage.send(viewer.shape.dress(group), (viewer.peer,))
            self._flow([viewer], {video: group})
        else:
            self.publisher.request_keyframe(now_s)

    def leave(self, viewer: "Viewer") -> None:
        """A viewer is gone."""
        self.viewers.pop(viewer.id, None)
        for crowd in (self._starting, self._flowing):
            if viewer in crowd:
                crowd.remove(viewer)
        self._crowds = None
        self._note_idle()
        self._changed()

    def take(self, tap: Tap, *, keep: bool, now_s: float) -> None:
        """A process of ours wants it; without `keep` only as long as others do."""
        new = tap not in self.taps
        self.taps[tap] = keep or self.taps.get(tap, False)
        if keep:
            self.idle_since_s = None
        if new and self.publisher is not None:
            tap.began(self)
            self.publisher.request_keyframe(now_s)
        self._changed()

    def drop(self, tap: Tap) -> None:
        """It does not want it any more."""
        self.taps.pop(tap, None)
        self._note_idle()
        self._changed()

    def _note_idle(self) -> None:
        if not self.wanted and self.idle_since_s is None:
            self.idle_since_s = time.monotonic()

    def tick(self, passed_s: float) -> None:
        """A second or so has passed."""
        self.meter.tick(passed_s)
        for track in self.tracks.values():
            for layer in track.layers.values():
                layer.tick(passed_s)
        now_s = time.monotonic()
        wanting = [
            one for one in self._flowing if one.switch is not None and one.switch.decide(now_s, one.loss_percent / 100)
        ]
        # A request that is lost is made again, as long as somebody waits.
        if (wanting or self._starting) and self.publisher is not None:
            self.publisher.request_keyframe(now_s)

    # -- what others are told -----------------------------------------------------------------------------------------

    def state(self) -> PathState:
        """For frames, and for `/api/streams`."""
        publisher = self.publisher
        if publisher is None:
            return PathState(did=self.name, live=False, since_ms=self.began_ms, viewers=len(self.viewers))
        video, audio = self.tracks["video"], self.tracks["audio"]
        size = max((one.size for one in video.layers.values() if one.size), default=None)
        return PathState(
            did=self.name,
            live=True,
            since_ms=self.began_ms,
            viewers=len(self.viewers),
            recorded=bool(self.taps),
            video=video.codec if "video" in publisher.kinds else None,
            audio=audio.codec if "audio" in publisher.kinds else None,
            width=size[0] if size else None,
            height=size[1] if size else None,
            bitrate_bps=self.meter.bitrate_bps,
            loss_percent=round(publisher.loss_percent, 2),
            fps=self.meter.fps,
        )


def rotated(peers: Sequence[Peer], turn: int) -> Sequence[Peer]:
    """The same peers from another beginning, so that nobody is always last."""
    start = turn % len(peers)
    return [*peers[start:], *peers[:start]]

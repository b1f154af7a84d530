"""What the recorder process counts, for `/metrics`."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class Measures:
    """Counters and gauges with a registry of their own.

    Attributes:
        registry: of all.
        recordings: that run.
        bursts: of push-to-talk that go on.
        written: bytes that are durable.
        frames: written to recordings.
        dropped: frames left out, by reason: `keyframe` (nothing to begin with), `disk` (it does not keep up),
            `refused` (too many files, or the disk has just failed), `overlap` (sound for a time that has its own).
        packets: that came to nothing, by reason: `lost`, `late`, `malformed`, `undecodable` (frames).
        gaps: stretches without video.
        messages: of the relay or the broker that were not understood.
        failures: recordings and bursts that the disk refused.
        queued: bytes that wait for the disk.
        unconfirmed: reports of recordings that the database has not confirmed.
        unconfirmed_bursts: those of bursts.
    """

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.recordings = Gauge("xunlu_record_recordings", "Recordings that run.", registry=registry)
        self.bursts = Gauge("xunlu_record_bursts", "Bursts of push-to-talk that go on.", registry=registry)
        self.written = Counter("xunlu_record_bytes", "Bytes that are durable.", registry=registry)
        self.frames = Counter("xunlu_record_frames", "Frames written.", registry=registry)
        self.dropped = Counter("xunlu_record_dropped", "Frames left out, by reason.", ("reason",), registry=registry)
        self.packets = Counter(
            "xunlu_record_packets", "Packets without use, by reason.", ("reason",), registry=registry
        )
        self.gaps = Counter("xunlu_record_gaps", "Stretches without video.", registry=registry)
        self.messages = Counter("xunlu_record_invalid_messages", "Messages not understood.", registry=registry)
        self.failures = Counter("xunlu_record_failures", "Files that the disk refused.", registry=registry)
        self.queued = Gauge("xunlu_record_queued_bytes", "Bytes that wait for the disk.", registry=registry)
        self.unconfirmed = Gauge("xunlu_record_unconfirmed", "Reports to be confirmed.", registry=registry)
        self.unconfirmed_bursts = Gauge(
            "xunlu_record_unconfirmed_bursts", "Reports of bursts to be confirmed.", registry=registry
        )

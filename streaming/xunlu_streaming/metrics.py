"""What Prometheus is told of a worker."""

import asyncio
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from xunlu_streaming.mux import UdpMux
from xunlu_streaming.path_manager import PathManager
from xunlu_streaming.publisher import Publisher
from xunlu_streaming.tap import TapServer
from xunlu_streaming.viewer import Viewer


class RelayMetrics(Collector):
    """Reads the worker's own counters when it is asked."""

    def __init__(self, manager: PathManager, mux: UdpMux, tap: TapServer, connected: Callable[[], bool]) -> None:
        self._manager = manager
        self._mux = mux
        self._tap = tap
        self._connected = connected

    def registry(self) -> CollectorRegistry:
        """A registry with nothing else in it."""
        registry = CollectorRegistry()
        registry.register(self)
        return registry

    def collect(self) -> Iterator[Metric]:
        """The figures now."""
        yield from self._gauges()
        yield from self._counters()

    def _gauges(self) -> Iterator[Metric]:
        manager = self._manager
        figures = {
            "broker_connected": ("1 while the broker answers.", float(self._connected())),
            "paths_live": ("Paths that are published.", len(manager.live())),
            "sessions": ("Sessions of all kinds, those that shake hands included.", manager.sessions),
            "paths": ("Paths whose numbering is kept.", len(manager.paths)),
            "names": ("Sessions whose connectivity checks are answered.", self._mux.names),
            "addresses": ("Addresses of clients that are known.", self._mux.addresses),
            "tasks": ("Tasks of the event loop.", len(asyncio.all_tasks())),
            "viewers": ("Sessions that watch or wait.", len(manager.viewers())),
            "bitrate_bps": ("Received from all publishers.", sum(one.meter.bitrate_bps for one in manager.live())),
            "viewings_unconfirmed": ("Ended viewings that the database does not hold yet.", len(manager.viewings)),
        }
        for name, (what, value) in figures.items():
            yield GaugeMetricFamily(f"xunlu_streaming_{name}", what, value=value)

    def _counters(self) -> Iterator[Metric]:
        manager, mux, refused = self._manager, self._mux, self._manager.refused
        figures = {
            "publishers_opened": ("Publications begun.", manager.opened[Publisher]),
            "viewers_opened": ("Viewer sessions begun.", manager.opened[Viewer]),
            "datagrams_strange": ("Media from addresses that belong to nobody.", mux.strangers),
            "datagrams_malformed": ("Datagrams that are no protocol of ours.", mux.malformed),
            "checks_refused": ("Connectivity checks with a wrong name or password.", mux.unauthenticated),
            "datagrams_unsent": ("Datagrams that the kernel did not take.", mux.unsent + manager.unsent),
            "packets_rejected": ("Packets that were forged, replayed or malformed.", refused["rejected"]),
            "packets_unknown": ("Packets of nothing that was agreed on, or too long.", refused["unknown"]),
            "reports_refused": ("RTCP of peers that sent too much of it.", refused["reports"]),
            "repairs_refused": ("Packets asked for again beyond what one viewer may.", refused["repairs"]),
            "packets_failed": ("Packets held back because they could not be encrypted.", manager.stage.failed),
            "viewings_lost": ("Ended viewings that were given up unconfirmed.", manager.viewings_lost),
            "tap_dropped": ("Messages that a reader of the tap did not take in time.", self._tap.dropped),
        }
        for name, (what, value) in figures.items():
            yield CounterMetricFamily(f"xunlu_streaming_{name}", what, value=value)

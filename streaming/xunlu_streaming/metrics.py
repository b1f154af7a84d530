"""What Prometheus is told of a worker."""

import asyncio
from collections.abc import Callable

from xunlu_streaming.figures import Figure, Figures, ProcessMetrics, broker_figure, datagram_figures, tap_figure
from xunlu_streaming.mux import UdpMux
from xunlu_streaming.path_manager import PathManager
from xunlu_streaming.publisher import Publisher
from xunlu_streaming.tap import TapServer
from xunlu_streaming.viewer import Viewer


class RelayMetrics(ProcessMetrics):
    """The figures of a worker."""

    def __init__(self, manager: PathManager, mux: UdpMux, tap: TapServer, connected: Callable[[], bool]) -> None:
        super().__init__("xunlu_streaming")
        self._manager = manager
        self._mux = mux
        self._tap = tap
        self._connected = connected

    def gauges(self) -> Figures:
        """What rises and falls."""
        manager = self._manager
        return {
            "broker_connected": broker_figure(connected=self._connected()),
            "paths_live": Figure("Paths that are published.", len(manager.live())),
            "sessions": Figure("Sessions of all kinds, those that shake hands included.", manager.sessions),
            "paths": Figure("Paths whose numbering is kept.", len(manager.paths)),
            "names": Figure("Sessions whose connectivity checks are answered.", self._mux.names),
            "addresses": Figure("Addresses of clients that are known.", self._mux.addresses),
            "tasks": Figure("Tasks of the event loop.", len(asyncio.all_tasks())),
            "viewers": Figure("Sessions that watch or wait.", len(manager.viewers())),
            "bitrate_bps": Figure(
                "Received from all publishers.", sum(one.meter.bitrate_bps for one in manager.live())
            ),
            "viewings_unconfirmed": Figure(
                "Ended viewings that the database does not hold yet.", len(manager.viewings)
            ),
        }

    def counters(self) -> Figures:
        """What only rises."""
        manager, mux, refused = self._manager, self._mux, self._manager.refused
        return {
            "publishers_opened": Figure("Publications begun.", manager.opened[Publisher]),
            "viewers_opened": Figure("Viewer sessions begun.", manager.opened[Viewer]),
            **datagram_figures(mux),
            "datagrams_unsent": Figure("Datagrams that the kernel did not take.", mux.unsent + manager.unsent),
            "packets_rejected": Figure("Packets that were forged, replayed or malformed.", refused["rejected"]),
            "packets_unknown": Figure("Packets of nothing that was agreed on, or too long.", refused["unknown"]),
            "reports_refused": Figure("RTCP of peers that sent too much of it.", refused["reports"]),
            "repairs_refused": Figure("Packets asked for again beyond what one viewer may.", refused["repairs"]),
            "packets_failed": Figure("Packets held back because they could not be encrypted.", manager.stage.failed),
            "viewings_lost": Figure("Ended viewings that were given up unconfirmed.", manager.viewings_lost),
            "tap_dropped": tap_figure(self._tap.dropped),
        }

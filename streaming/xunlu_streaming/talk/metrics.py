"""What Prometheus is told of the talk server."""

from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, Metric

from xunlu_streaming.figures import Figure, Figures, ProcessMetrics, broker_figure, datagram_figures, tap_figure
from xunlu_streaming.mux import UdpMux
from xunlu_streaming.talk.calls import Outlets
from xunlu_streaming.talk.net import RadioNet


class TalkMetrics(ProcessMetrics):
    """The figures of the server."""

    def __init__(self, net: RadioNet, mux: UdpMux, outlets: Outlets, connected: Callable[[], bool]) -> None:
        super().__init__("xunlu_talk")
        self._net = net
        self._mux = mux
        self._outlets = outlets
        self._connected = connected

    def collect(self) -> Iterator[Metric]:
        """The figures now, and what happened at the floors."""
        yield from super().collect()
        events = CounterMetricFamily("xunlu_talk_floor", "What happened at the floors.", labels=["what"])
        for what, count in self._net.calls.told.items():
            events.add_metric([what], count)
        yield events

    def gauges(self) -> Figures:
        """What rises and falls."""
        net = self._net
        return {
            "broker_connected": broker_figure(connected=self._connected()),
            "participants": Figure("On the radio net.", len(net.participants)),
            "groups": Figure("Talk groups that are known.", len(net.groups)),
            "groups_talking": Figure("Groups in which somebody talks.", len(net.calls.active)),
            "log_unconfirmed": Figure(
                "Entries of the floor log that the database does not hold yet.",
                len(self._outlets.log),
            ),
        }

    def counters(self) -> Figures:
        """What only rises."""
        net, mux, stage = self._net, self._mux, self._net.stage
        return {
            "participants_joined": Figure("Participants so far.", net.joined),
            "packets_sent": Figure("Packets handed to the kernel.", stage.sent),
            "packets_unsent": Figure("Packets that the kernel did not take.", stage.unsent + mux.unsent),
            "packets_failed": Figure("Packets held back because they could not be encrypted.", stage.failed),
            "packets_gated": Figure("Packets of somebody who had no floor.", net.gated),
            "packets_rejected": Figure(
                "Packets that were forged, replayed, malformed or too many.",
                net.rejected + sum(one.peer.refused.total() for one in net.participants.values()),
            ),
            **datagram_figures(mux),
            "log_lost": Figure("Entries of the floor log given up unconfirmed.", self._outlets.log.lost),
            "log_unsaved": Figure("Entries of the floor log that the disk did not take.", self._outlets.log.unsaved),
            "tap_dropped": tap_figure(self._outlets.tap.dropped),
            "groups_refused": Figure("Groups that were too many.", net.refused_groups),
        }

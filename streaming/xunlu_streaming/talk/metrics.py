"""What Prometheus is told of the talk server."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from xunlu_streaming.mux import UdpMux
from xunlu_streaming.talk.calls import Outlets
from xunlu_streaming.talk.net import RadioNet


class TalkMetrics(Collector):
    """Reads the server's own counters when it is asked."""

    def __init__(self, net: RadioNet, mux: UdpMux, outlets: Outlets, connected: Callable[[], bool]) -> None:
        self._net = net
        self._mux = mux
        self._outlets = outlets
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
        events = CounterMetricFamily("xunlu_talk_floor", "What happened at the floors.", labels=["what"])
        for what, count in self._net.calls.told.items():
            events.add_metric([what], count)
        yield events

    def _gauges(self) -> Iterator[Metric]:
        net = self._net
        figures = {
            "broker_connected": ("1 while the broker answers.", float(self._connected())),
            "participants": ("On the radio net.", len(net.participants)),
            "groups": ("Talk groups that are known.", len(net.groups)),
            "groups_talking": ("Groups in which somebody talks.", len(net.calls.active)),
            "log_unconfirmed": (
                "Entries of the floor log that the database does not hold yet.",
                len(self._outlets.log),
            ),
        }
        for name, (what, value) in figures.items():
            yield GaugeMetricFamily(f"xunlu_talk_{name}", what, value=value)

    def _counters(self) -> Iterator[Metric]:
        net, mux, stage = self._net, self._mux, self._net.stage
        figures = {
            "participants_joined": ("Participants so far.", net.joined),
            "packets_sent": ("Packets handed to the kernel.", stage.sent),
            "packets_unsent": ("Packets that the kernel did not take.", stage.unsent + mux.unsent),
            "packets_failed": ("Packets held back because they could not be encrypted.", stage.failed),
            "packets_gated": ("Packets of somebody who had no floor.", net.gated),
            "packets_rejected": (
                "Packets that were forged, replayed, malformed or too many.",
                net.rejected + sum(one.peer.refused.total() for one in net.participants.values()),
            ),
            "datagrams_strange": ("Media from addresses that belong to nobody.", mux.strangers),
            "datagrams_malformed": ("Datagrams that are no protocol of ours.", mux.malformed),
            "checks_refused": ("Connectivity checks with a wrong name or password.", mux.unauthenticated),
            "log_lost": ("Entries of the floor log given up unconfirmed.", self._outlets.log.lost),
            "log_unsaved": ("Entries of the floor log that the disk did not take.", self._outlets.log.unsaved),
            "tap_dropped": ("Messages that a reader of the tap did not take in time.", self._outlets.tap.dropped),
            "groups_refused": ("Groups that were too many.", net.refused_groups),
        }
        for name, (what, value) in figures.items():
            yield CounterMetricFamily(f"xunlu_talk_{name}", what, value=value)

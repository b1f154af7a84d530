"""What Prometheus is told of a process: its own counters, read when it is asked."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from xunlu_streaming.mux import UdpMux


class Figure(NamedTuple):
    """One figure.

    Attributes:
        what: for people.
        value: now.
    """

    what: str
    value: float


Figures = Mapping[str, Figure]


class ProcessMetrics(Collector):
    """Gauges and counters of one process under one prefix."""

    def __init__(self, prefix: str) -> None:
        """Name it; `prefix` stands before every figure."""
        self._prefix = prefix

    def registry(self) -> CollectorRegistry:
        """A registry with nothing else in it."""
        registry = CollectorRegistry()
        registry.register(self)
        return registry

    def collect(self) -> Iterator[Metric]:
        """The figures now."""
        for name, figure in self.gauges().items():
            yield GaugeMetricFamily(f"{self._prefix}_{name}", figure.what, value=figure.value)
        for name, figure in self.counters().items():
            yield CounterMetricFamily(f"{self._prefix}_{name}", figure.what, value=figure.value)

    @abstractmethod
    def gauges(self) -> Figures:
        """What rises and falls."""

    @abstractmethod
    def counters(self) -> Figures:
        """What only rises."""


def broker_figure(*, connected: bool) -> Figure:
    """Whether the broker answers."""
    return Figure("1 while the broker answers.", float(connected))


def datagram_figures(mux: UdpMux) -> dict[str, Figure]:
    """What came to the port of media and belongs to nobody."""
    return {
        "datagrams_strange": Figure("Media from addresses that belong to nobody.", mux.strangers),
        "datagrams_malformed": Figure("Datagrams that are no protocol of ours.", mux.malformed),
        "checks_refused": Figure("Connectivity checks with a wrong name or password.", mux.unauthenticated),
    }


def tap_figure(dropped: int) -> Figure:
    """What readers of a tap have missed."""
    return Figure("Messages that a reader of the tap did not take in time.", dropped)

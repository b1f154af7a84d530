"""Counters of a worker, for `/metrics` and its health page."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Metrics:
    """Everything an operator can ask a worker; names are Prometheus names without the prefix `xunlu_ingest_`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.received = self._counter("messages_received", "Messages by channel.", "channel")
        self.refused = self._counter("refused", "Messages and fixes refused, by reason.", "reason")
        self.stored = self._counter("positions_stored", "Fixes that were new.")
        self.duplicates = self._counter("duplicates", "Fixes and events that were stored before.")
        self.letters_dropped = self._counter("dead_letters_dropped", "Refused messages beyond the bound of a batch.")
        self.retries = self._counter("commit_retries", "Batches that had to be tried again.")
        self.failures = self._counter("handler_failures", "Handlers that failed on a message.", "handler")
        self.confirmations = self._counter("confirmations", "dn/ack messages sent.")
        self.frames = self._counter("frames", "Fleet frames sent.")
        self.commit_s = Histogram(
            "xunlu_ingest_commit_seconds",
            "Time of a commit.",
            registry=self.registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
        )
        self.batch_messages = Histogram(
            "xunlu_ingest_batch_messages",
            "Messages of a batch.",
            registry=self.registry,
            buckets=(1, 5, 10, 50, 100, 250, 500, 1000, 2500),
        )
        self.lag_s = Gauge(
            "xunlu_ingest_lag_seconds", "Newest live fix: arrival after fix time.", registry=self.registry
        )
        self.waiting = Gauge("xunlu_ingest_waiting_messages", "Received, not yet taken.", registry=self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"xunlu_ingest_{name}", text, labels, registry=self.registry)

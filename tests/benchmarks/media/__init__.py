"""Load and peers of the relay benchmarks: a publisher, receivers that only count, and other relays."""

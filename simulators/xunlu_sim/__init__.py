"""Simulated recorders: the real agent over fake hardware, and a light crowd for load.

Everything is seeded: the same seed walks the same way, loses signal at the same time and presses the same keys.
"""

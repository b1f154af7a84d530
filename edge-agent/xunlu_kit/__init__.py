"""Foundations without a word of our field: errors, clock, back-off, logs, MQTT sessions, health pages."""

"""The platform: ingest, store, API, jobs and console."""

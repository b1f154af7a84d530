"""The media service. Today it says that it is there and how it is; the relay moves in beside `service.py`."""

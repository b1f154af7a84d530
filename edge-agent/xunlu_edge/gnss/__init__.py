"""Satellite positioning: NMEA 0183 from a receiver, turned into epochs."""

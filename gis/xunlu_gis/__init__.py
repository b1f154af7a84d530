"""Geometry of patrols, pure: datums, tracks, formats, streets, map bundles.

No network, no database, no clock: values in, values out. Only `map` writes files, into the folder it is given.
Coordinates are WGS-84 degrees unless a name says otherwise.
"""

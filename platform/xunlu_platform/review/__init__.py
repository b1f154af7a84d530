"""Looking back: who wore what, the shape of their tracks, what explains the gaps, and what happened meanwhile.

Pure composition over the store, shared by the API, reports and exports.
"""

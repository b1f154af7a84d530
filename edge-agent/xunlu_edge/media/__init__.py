"""Live video of a recorder: capture, encoding once, and publishing by WHIP (RFC 9725).

Everything here needs the extra `media` (PyAV, aiortc), which costs memory: the agent imports it when somebody wants to
watch, and never before. `strip`, `glyphs`, `ladder` and `bitrate` are pure and need neither.
"""

"""The recorder process: writes live paths to files that outlive a killed process.

A packet's way: `tap_client` → `publication` → `track` (`reorder`, `h264` | `vp8` | `opus`, `timeline`) → `interleave` →
`recording` (`muxer`, `durable`) → `reports`. Nothing is decoded. What is orderly on the way lives in pure modules.
"""

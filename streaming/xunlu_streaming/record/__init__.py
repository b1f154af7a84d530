"""The recorder process: writes live paths, and what is said over push-to-talk, to files that outlive a killed process.

A packet's way: `tap_client` → `publication` → `track` (`reorder`, `h264` | `vp8` | `opus`, `timeline`) → `interleave` →
`recording` (`muxer`). That of a burst: `talk_client` → `burst` (`track`, `ogg`). Both end in `kept_file` (`ledger`),
whose owner is `keeper`, and in `reports`. Nothing is decoded. What is orderly on the way lives in pure modules.
"""

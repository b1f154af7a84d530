"""Push-to-talk on the recorder: the key, the radio net, and what is said and heard."""

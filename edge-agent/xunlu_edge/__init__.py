"""The agent that runs on a recorder: it keeps fixes and events until the platform has them."""

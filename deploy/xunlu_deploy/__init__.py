"""One machine: database, broker and our processes, made, started and watched."""

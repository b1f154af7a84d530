"""An incident as others see it: one page that plays it, and the folder that is handed over with it."""

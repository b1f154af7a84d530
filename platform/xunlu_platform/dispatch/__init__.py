"""What goes out to devices and to our own services, for whoever decides it: a route or a rule."""

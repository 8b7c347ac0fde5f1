"""One run() per rule; the only code that knows a path."""

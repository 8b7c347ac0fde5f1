"""One run() per rule: read, call, write."""

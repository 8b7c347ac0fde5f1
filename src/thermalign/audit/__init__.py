"""What is suspicious in a dataset, before an hour is spent on it: docs/audit.md."""

"""Measures of landmarks and of verification; NumPy only, no file access."""

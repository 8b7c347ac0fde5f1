"""Measures of landmarks and of verification; NumPy and SciPy only, no file access."""

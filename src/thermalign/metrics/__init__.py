"""Measures of landmarks and of verification; NumPy, SciPy and scikit-learn only, no file access."""

"""Landmark detectors on thermal faces, and what their error costs face verification."""

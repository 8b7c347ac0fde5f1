"""Landmark models, one file each: Settings, network, fit and predict."""

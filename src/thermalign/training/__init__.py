"""The one training loop, for detectors and learned matchers."""

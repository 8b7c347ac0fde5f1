"""The one training loop of the detectors, its checkpoints, how networks compute."""

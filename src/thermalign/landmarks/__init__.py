"""Landmark detectors by one contract, :class:`thermalign.landmarks.models.Detector`.

A detector is a module with a function ``fit``, or a package with one where the module would be too
long (``mtcnn``, ``pbc``); its name in the configuration is its name here, and nothing registers it.
It states what it offers, its source and what differs from that; what every detector is given and
gives back stands in the contract. Detectors share ``contract`` (faces), ``normalise`` (network
input) and :mod:`thermalign.training`; ``models`` and ``examples`` are for those who use them.
"""

"""Light, heat, lenses and sensors, and the fields that they act on."""

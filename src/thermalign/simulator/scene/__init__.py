"""A person before a camera: pose and expression of a moment, room, light, and both pictures."""

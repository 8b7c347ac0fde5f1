"""Files of points and scores: those that other programs wrote, and those that they read."""

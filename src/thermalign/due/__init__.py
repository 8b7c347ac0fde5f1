"""What a run would start now, and what made each of its jobs due."""

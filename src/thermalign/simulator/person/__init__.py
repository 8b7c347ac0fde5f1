"""Who is recorded: anatomy, skin, hair, warmth and what is worn."""

"""From aligned faces to scores, one published step per file; arrays in, arrays out."""

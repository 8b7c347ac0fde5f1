"""The study's figures, out of errors and scores: arrays and tables, no file."""

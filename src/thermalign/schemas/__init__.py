"""What stands in every table, by part of the study: a new column re-runs its part alone."""

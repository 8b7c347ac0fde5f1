"""The chapters of the report: what the page shows of a study, one file each."""

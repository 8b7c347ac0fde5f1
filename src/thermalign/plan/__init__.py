"""What a study will take, before it runs: its jobs, and what a finished one took for the like."""

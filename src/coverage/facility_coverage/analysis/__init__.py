"""What it means: coverage, capacity, service areas and verdicts on goals."""

"""The baseline: known deviations that may stay until a date, in a file of the user's repository."""

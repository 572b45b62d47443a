"""Measurements of what Fairlead promises. Each prints one line of JSON: `.venv/bin/python -m evals.NAME --help`."""

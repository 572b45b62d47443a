"""The contestants of `bench/workflows.py`, each a program of its own that does the same runs of the same steps."""

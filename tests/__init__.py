"""A package, so that no library that brings a folder `tests` of its own can stand in its place."""

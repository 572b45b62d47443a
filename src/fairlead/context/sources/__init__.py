"""Where pages come from besides people's editors: folders, git repositories, documents and MCP resources, written as
Markdown below `context/SOURCE/` so that what comes in is reviewed like any other change.

A driver lists what its source has and reads single pieces; `sync` decides what that means for the pages here. Nothing
of that is in the way of a request. Live sources (`live.py`) are never stored: they are read while a task is stitched.
"""

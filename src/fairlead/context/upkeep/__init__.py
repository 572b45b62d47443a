"""Keeping the pages true: what has become of what answers rest on, what owners are asked for because of it, how much of
that they are told, and what readers would have pages say. An office of the workspace runs it: `workspace/upkeeping.py`.
"""

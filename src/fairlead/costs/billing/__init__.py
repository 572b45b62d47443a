"""Bills: what was spent in a period, for whom, line by line, in words that finance departments share (FOCUS).

All of it is summed from the records of the audit log, to the nano-unit; nothing here changes them.
"""

"""Calls to other servers: which addresses may be called, and the connections that all drivers share."""

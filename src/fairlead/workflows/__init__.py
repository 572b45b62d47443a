"""Durable workflows: chains of models, tools, checks and people, defined in `workflows/` of a workspace."""

"""Agents written with frameworks, as their users write them: address and key in the environment, nothing else."""

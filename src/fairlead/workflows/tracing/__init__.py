"""What a run did, walked again from its records: whether it comes out the same, what fed what, and what went wrong."""

"""Systems of record: what they offer, and the connectors that speak to them."""

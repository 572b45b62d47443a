"""Learning from outcomes: how well runs were done, by whom that is said, and what may be made of it. Routing decides
without this package; what is learnt here reaches it as a predictor."""

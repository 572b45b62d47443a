"""Real model servers and the suites of real clients, straight and through Fairlead. See `__main__`."""

"""The Python half of the worker protocol. Python 3.9 or newer, standard library only."""

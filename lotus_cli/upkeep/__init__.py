"""Commands that keep a home: checks, archives, keys, messages between modules, kernels."""

"""The pure domain of Lotus: no I/O, no clock, no environment; randomness only as an argument."""

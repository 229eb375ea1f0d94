"""Events of others, in files and in memory, to the rows that `lotus.own_signals` judges."""

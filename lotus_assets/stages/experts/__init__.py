"""The experts in force, their weekly judgement and training, and their credit."""

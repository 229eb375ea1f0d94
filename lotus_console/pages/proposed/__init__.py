"""What is proposed: candidates with what they were charged, and the calls of a model with what they cost."""

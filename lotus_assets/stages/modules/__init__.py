"""What the decision-maker and the trader learn of themselves."""

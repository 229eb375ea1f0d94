"""What is inside of messages: one frozen structure per form, with who sends it to whom. See `catalogue`."""

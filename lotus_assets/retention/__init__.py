"""What a home lets go by age, and how it comes back."""

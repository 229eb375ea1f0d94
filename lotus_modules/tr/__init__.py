"""The trader: decisions judged and accepted as plans, and their pre-trade estimates."""

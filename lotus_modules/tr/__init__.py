"""The trader: decisions judged and accepted as plans, and what is foretold of them."""

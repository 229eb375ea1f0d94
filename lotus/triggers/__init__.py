"""The trigger language: texts of entry conditions, checked, printed and evaluated on frames. No orders here."""

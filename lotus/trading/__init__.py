"""The trader: from an approved plan to orders, positions and reports. No plan is invented and no venue opened here."""

"""Who may enter the console, and what a form must show: door, sessions, tokens, throttled login."""

"""The venue's websocket, its clocks and silences, recordings, and the recorder."""

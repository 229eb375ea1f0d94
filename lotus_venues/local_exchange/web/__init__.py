"""The exchange on loopback: HTTP, websockets and their sessions."""

"""The local exchange: the venue's websocket, `/info` and `/exchange` on loopback, over a tape, with real matching.

`server.LocalExchange` runs it inside a test or a process; `engine.Engine` is the matching alone, without any I/O.
"""

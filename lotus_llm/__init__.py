"""The one opener of a model: chat completions over HTTP, cassettes of exchanges, no hidden retry."""

"""What asks a model: facts out of the lake, the port with its account. Off unless `[llm]` says otherwise."""

"""Days of tape in blocks of symbols: split once, made anywhere, joined to the same bits as in one piece."""

"""What a study says, as frames, pictures and one page of HTML."""

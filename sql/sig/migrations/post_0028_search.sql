-- Indexes that pre_0027 replaced; the release before still reads through them.
DROP INDEX lessons_words;
DROP INDEX braid_history_board;

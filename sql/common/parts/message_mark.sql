-- Up to which number retention may have let messages of this sender go: no number up to it is a gap.
CREATE TABLE {mod}_message_mark (
    sender         text PRIMARY KEY,                       -- this module
    seq            bigint NOT NULL
);

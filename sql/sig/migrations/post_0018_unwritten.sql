-- Nobody ever wrote it: seven kernel terms stand in the bus's payloads, and no one of them is "kr".
ALTER TABLE sig_strand DROP COLUMN kr;

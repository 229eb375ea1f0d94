-- Funding is kept by account and plan (tr_funding_paid); nobody has written this table since.
DROP TABLE tr_funding;

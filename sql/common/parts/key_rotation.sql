-- From when a verify key holds, and from when it signs nothing new.
ALTER TABLE {mod}_identity ADD COLUMN valid_from timestamptz NOT NULL DEFAULT now();
ALTER TABLE {mod}_identity ADD COLUMN retired_at timestamptz;

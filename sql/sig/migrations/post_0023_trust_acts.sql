-- Reviewers may freeze and lower what a braid has earned; programs of before never write the two.
ALTER TABLE braid_reviews DROP CONSTRAINT braid_reviews_kind_check;
ALTER TABLE braid_reviews ADD CONSTRAINT braid_reviews_kind_check CHECK (kind IN (
    'approve', 'reject', 'extend', 'attenuate', 'raise_cap', 'freeze', 'lower', 'rollback'
));

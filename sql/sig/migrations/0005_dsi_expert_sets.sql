-- Settings of the experts that learning put in force on a branch: the latest from_day up to a day holds on that day.
CREATE TABLE dsi_expert_sets (
    branch         text NOT NULL,
    from_day       text NOT NULL,                          -- first day scored with them
    judged_day     text NOT NULL,                          -- fitted on days before it
    set_ver        text NOT NULL,                          -- hash of everything the set says
    settings       text NOT NULL,                          -- canonical JSON over the shipped set that it names
    PRIMARY KEY (branch, from_day),
    CHECK (judged_day < from_day)
);

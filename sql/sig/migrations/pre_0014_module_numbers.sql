-- The ledger's three odd fields by module and day, from evidence of days up to that day; copied to the atlas.
CREATE TABLE module_numbers (
    branch                 text NOT NULL,
    day                    text NOT NULL,                  -- last day of the evidence
    module                 text NOT NULL,
    resonance_frequency    double precision,               -- cycles per hour
    resonance_power        double precision CHECK (resonance_power BETWEEN 0 AND 1),
    resonance_false_alarm  double precision CHECK (resonance_false_alarm BETWEEN 0 AND 1),
    resonance_n            integer NOT NULL,
    resonance_reason       text NOT NULL,                  -- why there is none, or ''
    observer_effect_bps    double precision,               -- published minus held out
    observer_low_bps       double precision,
    observer_high_bps      double precision,
    observer_published     integer NOT NULL,
    observer_held_out      integer NOT NULL,
    observer_blocks        integer NOT NULL,
    observer_reason        text NOT NULL,
    entangled_with         text,
    entangled_lag          integer,                        -- steps by which this module leads
    entangled_bits         double precision,
    entangled_null95       double precision,
    entangled_chance       double precision CHECK (entangled_chance BETWEEN 0 AND 1),
    entangled_n            integer NOT NULL,
    entangled_reason       text NOT NULL,
    PRIMARY KEY (branch, day, module)
);

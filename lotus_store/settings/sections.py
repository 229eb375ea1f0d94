"""Sections of `lotus.toml` that are settings of a home, with their defaults and ranges.

What a section means is read by whoever is named in it; nothing is read from a file here (`lotus_store.config`).
"""

from dataclasses import dataclass

from lotus.manifest import ranged

EXPLORING, NO_EXPLORING = (0.2, 0.05), (0.0, 0.0)  # shares of probes at rest where the money is paper, and where not
LEAST_ROWS_DAYS = 180  # nightly runs learn from 90 learning days, which may have days without tape between them
LEAST_FRAMES_DAYS = 3  # nightly runs read the frames of the day they learn, and of the one or two before it


@dataclass(frozen=True, slots=True)
class TapeLimits:
    """Retention of raw tape and the disk-full rule."""

    keep_days: int = ranged(0, 0)  # closed segments older than this may be deleted by `lotus tape prune`; 0 = keep all
    max_gb: float = ranged(0.0, 0.0)  # size of one tape above which the oldest whole days may go; 0 = no limit
    min_free_gb: float = ranged(2.0, 0.0)  # recording stops loudly below this free space and keeps what is stored
    segment_minutes: int = ranged(15, 1)  # a segment is closed after this much receive time
    segment_mb: int = ranged(64, 1, 1024)  # or after this many raw megabytes


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """Where the daemon listens and what it simulates."""

    ws_url: str = "wss://api.hyperliquid.xyz/ws"
    rest_url: str = "https://api.hyperliquid.xyz"
    stale_s: float = ranged(30.0, 0.001)  # a subscription silent for this long is renewed
    ping_s: float = ranged(20.0, 0.001, 60.0)  # the venue closes a connection that is silent for 60 s
    spin: bool = False  # never sleep between messages: lower latency for a core of its own
    metrics_port: int = ranged(0, 0, 65_535)  # of the metrics page on loopback; 0 = no such page


@dataclass(frozen=True, slots=True)
class TradingSettings:
    """Where published windows are executed, and within which bounds."""

    venue: str = "off"  # off (--trade trades on paper), paper, local (loopback), hyperliquid (once armed)
    url: str = ""  # REST base of the venue's orders; empty = live.rest_url
    stop_bps: float = ranged(300.0, 1.0, 5_000.0)  # a probe's stop: a guard, too wide to change what is measured
    budget_usd: float = ranged(500_000.0, 10.0)  # value of all probes of one direction together
    leverage: int = ranged(5, 1, 50)  # of the probes' accounts
    entry_valid_ms: int = ranged(5_000, 1, 3_600_000)  # a decision older than this is not entered
    expires_ms: int = ranged(2_000, 1, 60_000)  # the venue refuses an order that arrives later than this
    paper_deposit_usd: float = ranged(100_000.0, 10.0)  # of a new paper account: carries budget_usd at the leverage
    fee_tier: int = ranged(0, 0, 6)  # of the paper accounts
    entry_style: str = "cross"  # how plans are entered (cross, join, improve) where their ticket does not say it
    entry_fallback: str = "cross"  # what follows when an entry at rest is not filled: cross, skip
    exit_style: str = "cross"  # how they are left at the end of their time; one that rests crosses in the end
    explore_knobs: float = ranged(0.0, 0.0, 1.0)  # share of the book's plans that try a knob a step from its start
    explore_policy: float = ranged(0.0, 0.0, 1.0)  # share of the book's windows that try a knob of the policy so
    exchanges: int = ranged(1, 1, 2)  # local ones of a traded recording; the second one has the next two
    second_fee_tier: int = ranged(4, 0, 6)  # of its fees, however little was traded there
    second_latency_ms: int = ranged(60, 0, 10_000)  # of the tape, that orders take longer to it
    explore_venue: float = ranged(0.2, 0.0, 0.5)  # of several venues, the share of plans that goes elsewhere, by a draw
    explore_entry: tuple[float, ...] = ()  # shares of the probes that join, that improve; empty = by the venue
    compose_styles: bool = False  # a detector's lesson and one about a style together: the style is judged there anew

    @property
    def entry_shares(self) -> tuple[float, float]:
        """Shares of the probes that are tried at rest: at the own side's best, and inside the spread."""
        shares = self.explore_entry or (NO_EXPLORING if self.venue == "hyperliquid" else EXPLORING)
        return shares[0], shares[1]


@dataclass(frozen=True, slots=True)
class SafetySettings:
    """What the watchdog does when the desk cannot, and what real orders need. Times in seconds; 0: a limit is off."""

    dead_s: float = ranged(30.0, 0.0)  # a desk silent so long is gone: entries are cancelled, the kill switch thrown
    late_s: float = 0.75  # a desk that is silent while the switch is thrown has this long
    flatten_after_s: float = ranged(0.0, 0.0)  # so long after that everything is closed too; 0 = stops stay in force
    fences: bool = True  # a hung process is ended before anything is done in its place
    lag_s: float = ranged(2.0, 0.0)  # a turn of the desk later than this is reported
    data_age_s: float = ranged(60.0, 0.0)  # a market older than this is reported
    max_drawdown_usd: float = ranged(0.0, 0.0)  # of an account below its highest equity; beyond it trading is halted
    max_open_usd: float = ranged(0.0, 0.0)  # value of all that is open in an account; beyond it trading is halted
    paper_days: int = ranged(10, 1)  # days traded on paper, with parity, before real orders; at least 1
    armed_days: int = ranged(7, 1)  # a typed confirmation is good for so long
    live_open_usd: float = ranged(10_000.0, 0.0)  # the most that an account's caps may allow for real orders


@dataclass(frozen=True, slots=True)
class DagsterLimits:
    """How much of its own log Dagster keeps, and where its pages begin."""

    first_day: str = ""  # first day of the pages (YYYY-MM-DD); empty = the first stored day of the tape
    keep_days: int = ranged(30, 0)  # of runs that ended; 30 is the life of a braid; 0 = keep all


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """Whom alarms are told to beside the queue of curation."""

    command: tuple[str, ...] = ()  # started for each alarm, as JSON on its standard input; no shell; empty = nobody
    timeout_s: float = ranged(10.0, 0.1, 60.0)  # then it is ended


@dataclass(frozen=True, slots=True)
class CurationSettings:
    """What the curators of the alpha detector may do by themselves, and what nobody may publish."""

    acts: bool = True  # the nightly run's curators act where their cause stands; False: only on what is forbidden
    forbidden: tuple[str, ...] = ()  # never published: DETECTOR, @COIN, DETECTOR@COIN, or a horizon such as 3600s


@dataclass(frozen=True, slots=True)
class ComputeSettings:
    """How much the micro-experts may cost, and whether credit decides who votes."""

    live_ns_per_frame: float = ranged(0.0, 0.0)  # of all experts together, one coin's frame; 0 = no quota, nobody idle
    credit_votes: bool = False  # every fourth Monday only experts shown to pay in two detectors keep their vote


@dataclass(frozen=True, slots=True)
class GovernanceSettings:
    """What of governance decides by itself beside the curators; off, every number is as without it."""

    explorer: bool = False  # floors of the propensity by value of information, on branch main


@dataclass(frozen=True, slots=True)
class FleetSettings:
    """Whether Dagster's runs are executed by workers, here or on other machines (`lotus fleet`)."""

    slots: int = ranged(0, 0, 1000)  # runs at once on all workers; 0 = no fleet, runs are processes of `lotus up`
    block_symbols: int = ranged(16, 1, 1000)  # coins whose frames and annotations of a day one run makes
    sum_threads: int = ranged(1, 1, 64)  # detectors whose sums of a learning day this machine makes at once
    worker_memory_gb: float = ranged(0.0, 0.0)  # address space of a run's process on a worker, GiB; 0 = no limit
    metrics_port: int = ranged(0, 0, 65_535)  # of the metrics page of `lotus fleet up` on loopback; 0 = no such page
    price_core_h: float = ranged(0.0, 0.0)  # USD a core and hour, for the metrics of cost; 0 = no price, no such metric


@dataclass(frozen=True, slots=True)
class BreedingSettings:
    """The search for detectors that is made once a week on the days up to a Monday."""

    trials: int = ranged(0, 0, 100_000)  # candidates to score, each charged for good; 0 = no such search
    cpu_s: float = ranged(1_800.0, 1.0, 86_400.0)  # CPU seconds after which it begins no other generation


@dataclass(frozen=True, slots=True)
class RetentionSettings:
    """How long stays what is made again or was learned from, back from the last learned day; 0 = for good."""

    frames_days: int = ranged(92, 0)  # frames and quotes, made again from the tape; at least LEAST_FRAMES_DAYS
    rows_days: int = ranged(400, 0)  # rows of the databases that no night reads any more; at least LEAST_ROWS_DAYS


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What processes log on standard error, and in which form."""

    format: str = "text"  # text, or json: an object a line
    level: str = "info"  # debug, info, warning, error: what is less than this is not told

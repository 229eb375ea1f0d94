"""The fixed parts of the report of `lotus learn`: its style, and the sentences that explain it. No number."""

STYLE = """
:root{color-scheme:light dark;--ink:#1b1b1b;--soft:#555;--line:#dcdcdc;--card:#f2f5f8;--page:#fff}
@media (prefers-color-scheme:dark){:root{--ink:#e6e6e6;--soft:#a8a8a8;--line:#3a3f45;--card:#20262c;--page:#14181c}}
*{box-sizing:border-box}
body{font:15px/1.55 system-ui,sans-serif;color:var(--ink);background:var(--page);max-width:66rem;margin:2rem auto;
padding:0 1rem;overflow-wrap:break-word}
h1{font-size:1.6rem}h2{font-size:1.25rem;margin-top:2.4rem;border-bottom:1px solid var(--line);padding-bottom:.2rem}
h3{font-size:1.05rem;margin-top:1.6rem}p,dl{max-width:46rem}
dt{font-weight:600}dd{margin:0 0 .5rem 1.2rem}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.85rem;margin:.6rem 0 1.2rem}
caption{caption-side:top;text-align:left;color:var(--soft);padding:.2rem 0 .4rem;font-size:.9rem}
td,th{border-bottom:1px solid var(--line);padding:.35rem .55rem;text-align:left;vertical-align:top}
th{font-weight:600}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}td.n{white-space:nowrap}th{vertical-align:bottom}
caption span{display:inline-block;position:sticky;left:0;max-width:min(46rem,calc(100vw - 3rem))}
td.rule{min-width:10rem}td.rule span{white-space:nowrap}
.pictures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,25rem),1fr));gap:1rem;align-items:start}
figure{margin:0;background:#fff;color:#1b1b1b;border:1px solid var(--line);border-radius:4px;padding:.6rem}
figure svg{display:block;width:100%;max-width:38rem;height:auto;margin:0 auto}
figcaption{font-size:.85rem;color:#555;padding:.3rem .2rem 0}
.verdict{background:var(--card);padding:.8rem 1rem;border-radius:4px;max-width:none}
.quiet{color:var(--soft);font-size:.9rem}
"""

LEAD = """
<p>Every row of the files is one <b>window</b>: a moment at which a signal could have been acted on (<b>published</b>),
with the probability with which it was (its <b>propensity</b>). A <b>rule</b> is a corner of the context, such as
&ldquo;x_flow in its two highest fifths and x_regime calm&rdquo;. A <b>lesson</b> is a rule in which acting paid more,
or less, than the same signal acted on elsewhere, by more than luck can explain after so many rules were tried.</p>
"""

READING = """
<dl>
<dt>Uplift, bps</dt><dd>What the signal earned inside a rule beyond what its own propensity already knew, net of cost,
per unit traded. The line in the picture is its 95 % interval for this one rule, from six-hour blocks.</dd>
<dt>Bound, bps</dt><dd>The size that still holds after searching through all the rules: the short upright tick. Trust
the bound, not the middle; what is found by searching looks better than it is.</dd>
<dt>Inside less outside, bps</dt><dd>The contrast of windows of like propensity inside and outside of the rule. The
uplift is the smaller of the two: it measures against an average that holds the rule itself.</dd>
<dt>Bins</dt><dd>Numbers are sorted into bins against the seven days before, per asset: 0 is the lowest, 4 the highest
of five. x_flow &gt;= 3 means the upper two fifths. Their edges move from day to day and differ by asset; what is told
of them is the median over the days, and the lowest and the highest.</dd>
<dt>Evidence, nats</dt><dd>How strongly the days speak for a rule, after it has paid for being one of many of its
length. A lesson must exceed the bar, which chance alone reaches in at most 4 of 100 such searches.</dd>
<dt>n_eff, days</dt><dd>Independent days behind a figure, not rows: prices move together, so a million rows of ten days
are about ten days.</dd>
<dt>Grade</dt><dd>A: real fills. B: executed on paper or a simulator. C: only modelled payoffs, no random draw, or the
second channel; a proposal for an experiment, never accepted. D: no propensity was logged; an association.</dd>
<dt>Refused</dt><dd>A result like any other: it says which number was missing.</dd>
</dl>
<p>A lesson says that publishing more or less in a corner would have changed the mean payoff of these days. It does not
say that there is money in it: markets answer, costs grow with size, and what was true may end. One set of files is one
look; running again with other features until something passes is many, and the 4 % no longer hold.</p>
"""

PROPOSALS = (
    "Proposals of the second channel, grade C: whole days are compared with each other, so a context that hardly moves "
    "within a day can be seen, with an error budget of its own. It does not take the lessons above out of its "
    "baseline, so it may show the shadow of one. Nothing here is accepted; it is worth an experiment."
)
IN_VALUES = (
    "The conditions in values: the median of the edge over the days on which the detector spoke (lowest to highest), "
    "by asset where the assets differ much. The bins themselves follow each day from the seven days before."
)
HORIZONS = (
    "Net payoffs of what was published in each rule, by horizon: described, never searched. MFE and MAE are the mean "
    "highest and lowest payoff on the way, Brier and log score (lower is better) judge the probability of a payoff "
    "above zero that came with the signal. Intervals: 95 %, six-hour blocks."
)
FOREST = "Filled: accepted. Hollow: proposed or refused. Line: 95 % interval of one rule."
MISSING = "A dash: the files have no {columns} to tell it from."
LIVES = (
    "Each point uses only the days up to it. A real effect narrows around a value and its evidence climbs; luck "
    "wanders back. Dashed: the bar of the analysis. E, where runs are replayed, is the e-process of the days after the "
    "lesson was found: at 20 the lesson is taken for dead."
)
MAPS = "Blue pays more than the baseline, red less, in bps; t in standard errors; the box is the rule; grey: no draw."
CALIBRATION = "On the diagonal the log is the policy; off it every figure above would be wrong."
NAIVE = (
    "The best conditions by difference of hit rates, windows taken as independent, the search not paid for. Most desks "
    "would trade the first line; in pure noise this table looks as good."
)
DETECTABLE = (
    "Smallest uplift, bps, that would be found in 80 % of such samples, by the length of the rule and the share of the "
    "weight that it covers. Four times the days see half as small an effect."
)

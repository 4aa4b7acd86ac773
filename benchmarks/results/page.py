"""The page: what is said around the tables."""

from benchmarks.results.claims import claims
from benchmarks.results.content import google_table
from benchmarks.results.decisions import classical, decisions
from benchmarks.results.delay.section import delay_tables, telco_delay_table
from benchmarks.results.measured import DAYS, EMAILS, LONG_DAYS, LONG_EMAILS, SEED, Measured
from benchmarks.results.subjects import lifts, other_worlds
from benchmarks.results.telco import known, race_table

PAGE_TEXT = """# Simulation results

Written by `make results` (`python -m benchmarks.results`); do not edit. Every value was measured by playing
the service's own policies in the simulator, seed {seed}; the same command gives the same values. In brackets
stands the 95 % interval of the mean over replications (of a share: Wilson's; of a quantile: by order
statistics); "single campaigns" or "single runs" is the range from the 2.5 to the 97.5 % quantile of one.
"Exact" values have no error.

**They hold in the made-up worlds described here, not on your traffic.** How much a bandit gains depends on how
far the variants lie apart, and that is not known beforehand.

## The claims this project inherited

The original project made five claims, without a world, a number of runs, or code that reproduces them.

{claims}

## E-mail: five subject lines, {emails:,} e-mails

World: true rates 48.7, 31.9, 52.9, 44.9 and 14.7 % (`default_rng(42).uniform(0.1, 0.6, 5)`), constant; the
response is known at once; an e-mail costs nothing and a conversion is worth EUR 1. {email:,} replications, all
policies and the even split on the same outcomes. Always sending the best subject gives 5,293.0 conversions and
the even split 3,863.0 in expectation: no policy can lift more than +37.0 %. "As the original" scores s / (n +
1e-6), ties to the lowest index; "as the service" scores the posterior mean. Daily: {days} equal days, each
split by the shares of its morning.

{lifts}
{email_picture}
### Decisions: P(best) >= 95 % against a fixed-horizon test

World: the same, {long_emails:,} e-mails over {long_days} days, so that the test fits in. {decisions:,}
replications. The classical test of the two best subjects (5 % two-sided, 80 % power, Bonferroni over 10 pairs,
planned with the true rates) needs {classical:,.0f} e-mails (exact), {classical_days:.1f} days. As it separates the
two best in 80 % of campaigns, it is compared with the e-mails after which the rule "stop at the end of the
first day on which some subject has P(best) >= 95 %" has named the best in 80 % (a wrong or missing answer
counts as never). Looks are daily, so e-mails come in steps of 333.

{decision_table}

The first row has no bandit in it: what it saves comes from the stopping rule alone. The rule looks every day
and has no bound on false alarms, as the test has; how often it gives one is in the next table.

### The same in other worlds

Thompson sampling, {emails:,} e-mails in {days} daily batches, {others:,} replications each.

{other_worlds}

With equal rates any declaration is a false alarm, and on the same outcomes all policies convert the same: the
lift is exactly nothing.

## Telco CLV: who is called or mailed with which offer

World: 100,000 customers, 365 days from 2022-11-30, 200 contacts a day, 5 products x call (EUR 3.00) or e-mail
(free) x 2 identical templates, sales up to 20 days late, at most one contact per customer. {clv} replications
on the same outcomes; base and order of contacts are the same in all of them, so the intervals hold for this
base. Score: delta in customer lifetime value less contact costs, after a year.

{race}

{known}

The original charged e-mails like calls, never showed its policies a failure, let the first sale lock an arm in and
sold expired offers; its world differs a little, so its values (10 runs) are for orientation, not targets. Here the
marketing department sells only what is on sale, and comes closer to the groundhogs than it did there.
{clv_picture}
## Outstanding conversions

World: three variants of 12, 15 and 13 %, 30 days of 10,000 impressions, daily Thompson sampling; a conversion is
credited to its impression and known on the day it comes. An oracle lifts +12.5 %. {delay} campaigns each, seed
{seed}, the same seed for every column; a campaign's lift is computed from its traffic and the true rates. The
intervals reach 2.05 standard errors either way.

"Booked" counts an impression at once and a conversion when it comes (`delay: none`); `maturity_days` leaves the
last days out, here as many as turn out best on these very campaigns; "known" is a given curve; "estimated" is
`auto`, by the ages of conversions as they were received (tracked), or by totals that were reported again.

{delay_lifts}

At low rates, 1, 1.2 and 1.1 %, where there is less to estimate from and less to win (an oracle lifts +9.1 %):

{delay_low_rates}

What `auto` lifts more than booked, campaign by campaign. Where all conversions come at once the curve is exactly 1
and the traffic the same.

{delay_paired}

Delays that differ by variant: a common curve counts the slow variant's impressions too early, so it is judged too
badly. The service compares the delays at every decision and, once they differ, uses each variant's own curve.

{delay_differing}

In the telco race above sales come over the 21 days after a contact. The same {clv} replications, with the policies
as they are there (`delay_correction: none`) and with the service's correction (`auto`): nothing changes for those
that learn nothing, and for the others no difference is larger than its error. Three weeks are short in a year, and
four of five sales come within the first seven days.

{telco_delay}

## Google's content experiment

World: two arms of 4 and 5 %, 100 visits a day, re-weighted daily by P(best); from day 14 on it stops when the
value remaining is below 1 % with 95 % probability. A classical test (5 %, power 95 %) takes 223 days.
"Reported" is quoted from memory of Google's page, without its errors; "replicated" was computed elsewhere.

{google}

## What these results do not say

- Nothing about your subjects, customers or prices: the rates, the response model and the values are made up.
- Rates stand still here. Where they drift, a bandit can gain less, and the even split loses nothing. It can be
  tried: `POST /simulations/email` with `drift`, and with `delay`, too.
- An interval is the error of a mean over replications: the simulation's, not the world's. One campaign can fall
  anywhere in the range of single ones.
- The lift is over an even split that runs to the end. Against a test that is stopped and followed by its winner,
  or against a good guess, it is smaller.
- "Decided" is not a significance test: it has no bound on false alarms where subjects are equal, and naming the
  best does not measure by how much it is better.
- Revenue and cost follow from the worlds' prices. The CLV is a model's value over a five-year horizon, not
  money received; there is no churn in it.
- Real logs are replayed elsewhere (`POST /simulations/replay`); nothing on this page comes from one.
"""


def page(measured: Measured, pictures: dict[str, str]) -> str:
    """The page; pictures are links by world, none where they could not be drawn."""
    size, needed = measured.size, classical(measured)
    return PAGE_TEXT.format(
        seed=SEED,
        emails=EMAILS,
        days=DAYS,
        long_emails=LONG_EMAILS,
        long_days=LONG_DAYS,
        email=size.email,
        decisions=size.decisions,
        others=size.others,
        clv=size.clv,
        classical=needed,
        classical_days=needed / LONG_EMAILS * LONG_DAYS,
        claims=claims(measured),
        lifts=lifts(measured),
        decision_table=decisions(measured),
        other_worlds=other_worlds(measured),
        race=race_table(measured),
        known=known(measured),
        google=google_table(measured),
        delay=size.delay,
        telco_delay=telco_delay_table(measured.telco, measured.telco_corrected),
        **delay_tables(measured.delays),
        email_picture=pictures.get("email", ""),
        clv_picture=pictures.get("clv", ""),
    )

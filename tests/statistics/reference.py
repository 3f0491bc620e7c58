"""
Reference values for plugin/statistics, from SciPy and, where SciPy has no such function, from plain NumPy:

    python tests/statistics/reference.py > tests/statistics/reference.json

Made with SciPy 1.17 and NumPy 2.4. Samples are drawn with fixed seeds, and rounded where ties are wanted.
"""

import itertools
import json
import math
import sys

import numpy as np
from scipy import optimize, special, stats

ALTERNATIVES = ["two-sided", "greater", "less"]
cases = []


def number(x):
    x = float(x)
    if math.isnan(x):
        return "NaN"
    return x if math.isfinite(x) else ("Infinity" if x > 0 else "-Infinity")


def add(test, baseline, treatment, expected, alternative="two-sided", alpha=0.05, **more):
    cases.append(
        {
            "test": test,
            "baseline": [number(x) for x in baseline],
            "treatment": [number(x) for x in treatment],
            "alternative": alternative,
            "alpha": alpha,
            **more,
            "expected": {key: number(value) for key, value in expected.items()},
        }
    )


def samples():
    """Name, baseline, treatment: normal, skewed, tied, tiny, huge, constant, far from zero."""
    for seed, n in enumerate([2, 3, 5, 8, 12, 20, 50]):
        rng = np.random.default_rng(seed)
        base = rng.normal(10, 2, n)
        yield "normal", base, base + rng.normal(0.8, 1.5, n)
        yield "skewed", rng.exponential(3, n), rng.exponential(4, n)
        if n > 3:
            yield "tied", np.round(rng.normal(5, 1.5, n)), np.round(rng.normal(5.5, 1.5, n))
        yield "far", base + 1e6, base + 1e6 + rng.normal(0.1, 0.2, n)
    rng = np.random.default_rng(99)
    yield "huge", rng.normal(0, 1, 400), rng.normal(0.2, 1.2, 400)
    yield "huge tied", np.round(rng.normal(0, 3, 300)), np.round(rng.normal(0.5, 3, 300))


def paired_t(d, alternative, alpha):
    n, mean, sd = len(d), d.mean(), d.std(ddof=1)
    result = stats.ttest_1samp(d, 0, alternative=alternative)
    low, high = result.confidence_interval(1 - alpha)
    return {
        "statistic": result.statistic,
        "df": n - 1,
        "p": result.pvalue,
        "difference": mean,
        "low": low,
        "high": high,
        "effect": mean / sd,
        "n": n,
    }


def welch(b, t, alternative, alpha):
    result = stats.ttest_ind(t, b, equal_var=False, alternative=alternative)
    low, high = result.confidence_interval(1 - alpha)
    df = len(b) + len(t) - 2
    pooled = math.sqrt(((len(b) - 1) * b.var(ddof=1) + (len(t) - 1) * t.var(ddof=1)) / df)
    correction = math.exp(special.gammaln(df / 2) - special.gammaln((df - 1) / 2) - math.log(math.sqrt(df / 2)))
    return {
        "statistic": result.statistic,
        "df": result.df,
        "p": result.pvalue,
        "difference": t.mean() - b.mean(),
        "low": low,
        "high": high,
        "effect": (t.mean() - b.mean()) / pooled * correction,
        "n": len(b) + len(t),
    }


def tail_quantile(values, probabilities, tail):
    """The smallest value with more than `tail` at or below it."""
    cumulative = np.cumsum(probabilities)
    return int(values[np.argmax(cumulative > tail)])


def rank_interval(sums, left_out, alternative):
    sums = np.sort(sums)
    low = sums[left_out - 1] if left_out >= 1 else -math.inf
    high = sums[len(sums) - left_out] if left_out >= 1 else math.inf
    return (-math.inf if alternative == "less" else low), (math.inf if alternative == "greater" else high)


def signed_rank_probabilities(n):
    counts = np.array([1.0])
    for rank in range(1, n + 1):
        counts = np.convolve(counts, [1.0] + [0.0] * (rank - 1) + [1.0])
    return counts / counts.sum()


def wilcoxon(d, alternative, alpha):
    nonzero = d[d != 0]
    n = len(nonzero)
    ranks = stats.rankdata(np.abs(nonzero))
    positive = ranks[nonzero > 0].sum()
    if n <= 50:
        # All sums of doubled ranks with their probabilities, by convolution: exact given the ties.
        counts = np.array([1.0])
        for rank in np.round(2 * ranks).astype(int):
            counts = np.convolve(counts, [1.0] + [0.0] * (rank - 1) + [1.0])
        counts /= counts.sum()
        at = round(2 * positive)
        lower, upper = counts[: at + 1].sum(), counts[at:].sum()
        p = {"less": lower, "greater": upper, "two-sided": min(1, 2 * min(lower, upper))}[alternative]
        if len(np.unique(np.abs(nonzero))) == n:
            check = stats.wilcoxon(nonzero, alternative=alternative, method="exact").pvalue
            assert abs(check - p) < 1e-12, (check, p)
    else:
        p = stats.wilcoxon(nonzero, alternative=alternative, method="asymptotic", correction=False).pvalue
    walsh = np.array([(a + b) / 2 for a, b in itertools.combinations_with_replacement(d, 2)])
    tail = alpha / 2 if alternative == "two-sided" else alpha
    m = len(d)
    if m <= 50:
        probabilities = signed_rank_probabilities(m)
        left_out = tail_quantile(np.arange(len(probabilities)), probabilities, tail)
    else:
        left_out = math.floor(m * (m + 1) / 4 + stats.norm.ppf(tail) * math.sqrt(m * (m + 1) * (2 * m + 1) / 24))
    low, high = rank_interval(walsh, left_out, alternative)
    total = n * (n + 1) / 2
    return {
        "statistic": positive,
        "p": p,
        "difference": np.median(walsh),
        "low": low,
        "high": high,
        "effect": (2 * positive - total) / total,
        "n": m,
    }


def u_probabilities(m, n):
    counts = np.zeros(m * n + 1)
    counts[0] = 1
    for i in range(1, m + 1):
        for u in range(m * n, n + i - 1, -1):
            counts[u] -= counts[u - n - i]
        for u in range(i, m * n + 1):
            counts[u] += counts[u - i]
    return counts / counts.sum()


def mann_whitney(b, t, alternative, alpha):
    tied = len(np.unique(np.concatenate([b, t]))) < len(b) + len(t)
    exact = not tied and max(len(b), len(t)) <= 50
    result = stats.mannwhitneyu(t, b, alternative=alternative, method="exact" if exact else "asymptotic")
    sums = np.array([x - y for x in t for y in b])
    tail = alpha / 2 if alternative == "two-sided" else alpha
    m, n = len(b), len(t)
    if max(m, n) <= 50:
        probabilities = u_probabilities(m, n)
        left_out = tail_quantile(np.arange(len(probabilities)), probabilities, tail)
    else:
        left_out = math.floor(m * n / 2 + stats.norm.ppf(tail) * math.sqrt(m * n * (m + n + 1) / 12))
    low, high = rank_interval(sums, left_out, alternative)
    return {
        "statistic": result.statistic,
        "p": result.pvalue,
        "difference": np.median(sums),
        "low": low,
        "high": high,
        "effect": 2 * result.statistic / (m * n) - 1,
        "n": m + n,
    }


def equivalence(d, margin, alpha):
    n, mean = len(d), d.mean()
    error = d.std(ddof=1) / math.sqrt(n)
    above = stats.ttest_1samp(d, -margin, alternative="greater")
    below = stats.ttest_1samp(d, margin, alternative="less")
    low, high = stats.t.interval(1 - 2 * alpha, n - 1, mean, error)
    return {
        "statistic": above.statistic if abs(above.statistic) < abs(below.statistic) else below.statistic,
        "df": n - 1,
        "p": max(above.pvalue, below.pvalue),
        "difference": mean,
        "low": low,
        "high": high,
        "effect": mean / d.std(ddof=1),
        "n": n,
    }


def sign_flips(d, alternative):
    sums = np.array([np.dot(signs, d) for signs in itertools.product([-1, 1], repeat=len(d))])
    observed, slack = d.sum(), 1e-12 * np.abs(d).sum()
    far = {
        "two-sided": np.abs(sums) >= abs(observed) - slack,
        "greater": sums >= observed - slack,
        "less": sums <= observed + slack,
    }[alternative]
    return {"p": far.mean(), "difference": d.mean(), "n": len(d)}


for name, b, t in samples():
    d = t - b
    for alternative in ALTERNATIVES if len(b) in (2, 5, 12, 300, 400) else ["two-sided"]:
        add("paired_t_test", b, t, paired_t(d, alternative, 0.05), alternative)
        add("welch_t_test", b, t, welch(b, t, alternative, 0.01), alternative, 0.01)
        add("mann_whitney_u", b, t, mann_whitney(b, t, alternative, 0.05), alternative)
        if (d != 0).any():
            add("wilcoxon_signed_rank", b, t, wilcoxon(d, alternative, 0.05), alternative)
        if len(b) <= 12:
            add("sign_flip_permutation", b, t, sign_flips(d, alternative), alternative)
    if d.std() > 0:
        add("equivalence", b, t, equivalence(d, 1.5, 0.05), margin=1.5)

# Missing values drop their pair, or their own value.
b, t = np.array([1.0, 2, math.nan, 4, 5]), np.array([2.0, 2.5, 3, math.nan, 7])
both = ~np.isnan(b) & ~np.isnan(t)
add("paired_t_test", b, t, paired_t((t - b)[both], "two-sided", 0.05))
add("welch_t_test", b, t, welch(b[~np.isnan(b)], t[~np.isnan(t)], "two-sided", 0.05))

# Scaling and shifting by what loses no digit changes neither t nor p: tiny values keep their spread, and large ones their
# digits. Expected is what the plain samples give.
for seed, n in enumerate([2, 6, 13]):
    rng = np.random.default_rng(300 + seed)
    b = np.round(rng.normal(0, 3, n))
    t = np.round(b + rng.normal(1, 3, n))
    t[0] = b[0] + 1
    t[1] = b[1] + 3
    for alternative, alpha in itertools.product(ALTERNATIVES, (0.001, 0.2)):
        for test, function in [("paired_t_test", paired_t), ("welch_t_test", welch)]:
            plain = function(*([t - b] if test == "paired_t_test" else [b, t]), alternative, alpha)
            for scale, shift in [(2.0**-1000, 0), (2.0**1000, 0), (1, 1e15)]:
                scaled = {key: plain[key] * scale for key in ("difference", "low", "high")}
                add(test, b * scale + shift, t * scale + shift, {**plain, **scaled}, alternative, alpha)

# Samples of different lengths, zeros among the differences, and gaps, at other levels.
for seed, (m, n) in enumerate([(1, 1), (1, 4), (2, 7), (9, 5), (50, 51), (60, 47)]):
    rng = np.random.default_rng(400 + seed)
    for rounded, alternative, alpha in itertools.product([False, True], ALTERNATIVES, (0.001, 0.2)):
        b, t = rng.normal(5, 2, m), rng.normal(6, 2, n)
        if rounded:
            b, t = np.round(b), np.round(t)
        add("mann_whitney_u", b, t, mann_whitney(b, t, alternative, alpha), alternative, alpha)
        if min(m, n) > 1 and b.std() + t.std() > 0:
            add("welch_t_test", b, t, welch(b, t, alternative, alpha), alternative, alpha)
        t = np.resize(t, m) if rounded else b + np.where(rng.random(m) < 0.4, 0, rng.normal(1, 1, m))
        t[rng.random(m) < 0.2] = math.nan
        d = (t - b)[~np.isnan(t)]
        if (d != 0).any():
            add("wilcoxon_signed_rank", b, t, wilcoxon(d, alternative, alpha), alternative, alpha)
            if len(d) <= 12:
                add("sign_flip_permutation", b, t, sign_flips(d, alternative), alternative, alpha)

# One difference for all: its side is certain, and its interval a point. One pair says nothing.
for size in (1, -2):
    b = np.arange(5.0)
    point = {"statistic": size * math.inf, "p": 0, "difference": size, "low": size, "high": size, "n": 5}
    add("paired_t_test", b, b + size, {**point, "effect": size * math.inf})
    unknown = {"statistic": math.nan, "p": math.nan, "low": math.nan, "high": math.nan, "n": 1}
    for alternative in ALTERNATIVES:
        add("paired_t_test", b[:1], b[:1] + size, {**unknown, "difference": size}, alternative)

# All choices of signs of whole numbers, counted by their sums.
for seed, n in enumerate([16, 20]):
    d = np.round(np.random.default_rng(500 + seed).normal(2, 6, n))
    reach = int(np.abs(d).sum())
    counts = np.zeros(2 * reach + 1)
    counts[reach] = 1
    for x in np.abs(d).astype(int):
        counts = np.roll(counts, x) + np.roll(counts, -x)
    sums = np.arange(-reach, reach + 1)
    far = {"two-sided": np.abs(sums) >= abs(d.sum()), "greater": sums >= d.sum(), "less": sums <= d.sum()}
    for alternative in ALTERNATIVES:
        p = counts[far[alternative]].sum() / counts.sum()
        add("sign_flip_permutation", np.zeros(n), d, {"p": p, "difference": d.mean(), "n": n}, alternative)

tails = []
for df in [1, 1.5, 2, 3.7, 10, 29.3, 100, 1e4]:
    for t in [0, 1e-6, 0.3, 1, 2.5, 7, 40, 1e3]:
        tails.append({"t": t, "df": df, "expected": stats.t.sf(t, df)})
quantiles = [
    {"p": p, "df": df, "expected": stats.t.ppf(p, df)}
    for df in [1, 2, 3.7, 10, 29.3, 1e4]
    for p in [1e-8, 0.001, 0.025, 0.2, 0.499, 0.6, 0.95, 0.9999]
]

rng = np.random.default_rng(7)
corrections = []
for count in [1, 2, 5, 13]:
    p = np.round(rng.uniform(0, 0.2, count), 3)
    p[count // 2 :: 4] = p[0]
    holm = np.empty(count)
    order = np.argsort(p, kind="stable")
    holm[order] = np.minimum(1, np.maximum.accumulate((count - np.arange(count)) * p[order]))
    corrections.append({"p": list(p), "holm": list(holm), "bh": list(stats.false_discovery_control(p))})

# BCa with given resamples: scipy.stats.bootstrap draws its own, so that the formula stands here again.
bca = []
for seed, n in enumerate([3, 8, 25]):
    rng = np.random.default_rng(100 + seed)
    d = rng.normal(0.5, 1, n)
    means = d[rng.integers(0, n, (400, n))].mean(axis=1)
    # Resamples of the same values in another order tie, whatever their last digits are.
    tied = np.isclose(means, d.mean(), rtol=0, atol=1e-12)
    share = ((means < d.mean()) & ~tied).mean() + 0.5 * tied.mean()
    z0 = stats.norm.ppf(share)
    jack = np.array([np.delete(d, i).mean() for i in range(n)])
    influence = jack.mean() - jack
    a = (influence**3).sum() / (6 * ((influence**2).sum()) ** 1.5)
    ends = []
    for q in (0.025, 0.975):
        z = z0 + stats.norm.ppf(q)
        ends.append(np.quantile(means, stats.norm.cdf(z0 + z / (1 - a * z))))
    bca.append({"differences": list(d), "means": list(means), "low": ends[0], "high": ends[1]})

# As power.t.test of R has it: what the test finds on the other side does not count.
power = []
for n, alpha in itertools.product((2, 3, 4, 5, 8, 12, 20, 30, 1000), (0.001, 0.01, 0.05, 0.2)):
    critical = stats.t.ppf(1 - alpha / 2, n - 1)
    guess = critical + stats.t.ppf(0.8, n - 1)
    found = lambda noncentrality: stats.nct.sf(critical, n - 1, noncentrality) - 0.8
    noncentrality = optimize.brentq(found, guess * 0.9, guess * 1.6, xtol=1e-14, rtol=1e-14)
    power.append({"n": n, "alpha": alpha, "expected": noncentrality / math.sqrt(n)})

json.dump(
    {"cases": cases, "tails": tails, "quantiles": quantiles, "corrections": corrections, "bca": bca, "power": power},
    sys.stdout,
    separators=(",", ":"),
)
print()

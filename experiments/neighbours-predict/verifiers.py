import numpy as np
from crystallize import verifier

# Beyond this the 2^n signs take longer than they are worth.
MOST_PAIRS = 24


@verifier
def sign_flip(baseline_samples, treatment_samples, *, alpha: float = 0.05):
    """
    Exact sign-flip test of the first metric's mean paired difference, two-sided: if the condition made no difference, the
    sign of each replicate's difference would be a coin toss.
    """
    metric = next(iter(baseline_samples))
    differences = np.array(treatment_samples[metric]) - np.array(baseline_samples[metric])
    if len(differences) > MOST_PAIRS:
        raise ValueError(f"at most {MOST_PAIRS} pairs, got {len(differences)}")
    sums = np.zeros(1)
    for difference in differences:
        sums = np.concatenate([sums + difference, sums - difference])
    # Sums of the same numbers in another order differ in their last digits.
    p_value = np.mean(np.abs(sums) >= abs(differences.sum()) - 1e-9)
    return {"difference": differences.mean(), "p_value": p_value, "significant": p_value < alpha}

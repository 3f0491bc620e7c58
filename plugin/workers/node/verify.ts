import type { Json, JsonObject } from '../../base/json.ts';
import { ReplicateError } from '../../runtime/failures.ts';
import type { VerifyJob } from '../protocol.ts';
import { errorInfo } from './errors.ts';

/** Calls a verifier with the metrics of the baseline and of the treatment. @throws ReplicateError */
export async function verify(verifier: (...args: unknown[]) => unknown, job: VerifyJob): Promise<JsonObject> {
  let verdict: unknown;
  try {
    verdict = await verifier(job.baseline, job.treatment);
  } catch (thrown) {
    throw new ReplicateError({
      reason: 'verifier-threw',
      verifier: job.verifier,
      error: errorInfo(thrown, job.root),
    });
  }
  if (typeof verdict !== 'object' || verdict === null || Array.isArray(verdict)) {
    const got = verdict === null ? 'null' : Array.isArray(verdict) ? 'a list' : typeof verdict;
    throw new ReplicateError({ reason: 'verdict-invalid', verifier: job.verifier, got });
  }
  const entries = Object.entries(verdict).filter(([, value]) => value !== undefined);
  for (const [key, value] of entries) {
    if ((key !== 'p_value' && key !== 'significant') || isPlain(value)) continue;
    const got = Array.isArray(value) ? 'a list' : typeof value;
    throw new ReplicateError({ reason: 'verdict-value-invalid', verifier: job.verifier, key, got });
  }
  return Object.fromEntries(
    entries.flatMap(([key, value]) => (isPlain(value) ? [[key, spelled(value)]] : [])),
  );
}

function isPlain(value: unknown): value is Json {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}

/** JSON has no NaN and no infinities. */
function spelled(value: Json): Json {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}

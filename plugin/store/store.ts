import type { FileDigests } from '../base/digest.ts';
import type { ArtifactRecord, Metrics } from '../runtime/manifest.ts';
import type { ConditionHistory } from './explain.ts';

/** A finished replicate as the store keeps it. */
export interface StoredReplicate {
  readonly metrics: Metrics;
  readonly artifacts: Readonly<Record<string, ArtifactRecord>>;
  /** How long it took, in milliseconds. */
  readonly ms: number;
  /** Files that it read, or may have read, and that nobody declared: it counts only while they stay the same. */
  readonly reads?: FileDigests;
}

/** The finished replicates of one condition key. */
export interface Shelf {
  get(replicateKey: string): StoredReplicate | undefined;
  /**
   * Keeps a finished replicate: its artifacts first, its record last.
   *
   * @param folder absolute path of the replicate's folder, which holds the artifacts
   */
  put(replicateKey: string, replicate: StoredReplicate, folder: string): Promise<void>;
  /**
   * Puts the artifacts of a stored replicate into a folder, each checked against its digest.
   *
   * @returns why it cannot be done: the replicate then has to run; undefined when it was
   */
  restore(replicate: StoredReplicate, folder: string): Promise<string | undefined>;
  close(): Promise<void>;
}

/** Keeps finished replicates by what they depend on. Safe with several processes and machines at once. */
export interface RunStore {
  shelf(conditionKey: string): Promise<Shelf>;
  readHistory(experiment: string, condition: string): Promise<ConditionHistory | undefined>;
  writeHistory(experiment: string, condition: string, history: ConditionHistory): Promise<void>;
  /** Replaces a damaged file by the stored artifact of that digest, if there is one. */
  repair(sha256: string, path: string): Promise<boolean>;
  /** Keeps the store within its limit; to be called when a run is over. */
  tidy(): Promise<void>;
}

export interface StoreStats {
  readonly replicates: number;
  readonly records: number;
  readonly objects: number;
  /** Bytes of everything. */
  readonly bytes: number;
}

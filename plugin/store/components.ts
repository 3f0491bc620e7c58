import { type FileDigests, sha256 } from '../base/digest.ts';
import { canonicalJson, type Json, type JsonObject } from '../base/json.ts';

/**
 * All that the replicates of one condition share and depend on. What is not in here - description, presentation,
 * hypotheses, other treatments, the number of replicates, comments in config.yaml - never makes a replicate run again.
 */
export interface KeyComponents {
  /** Version of nx-experiments, and the major version of the interpreter. */
  readonly engine: string;
  readonly interpreter: string;
  readonly experiment: string;
  readonly condition: string;
  readonly folder: string;
  readonly context: JsonObject;
  /** Of Python: where in the context and in arguments whole numbers are fractions. Undefined for none. */
  readonly floats?: readonly (readonly (string | number)[])[];
  readonly steps: readonly { readonly name: string; readonly args: JsonObject }[];
  readonly sources: readonly SourceComponent[];
  readonly bareSource: boolean;
  readonly outputs: readonly {
    readonly alias: string;
    readonly fileName: string;
    readonly writer: string | null;
  }[];
  /** The experiment's modules, all that they import, and the tsconfig that says what an import means. */
  readonly code: FileDigests;
  /** The code behind the loaders of upstream artifacts. */
  readonly loaders: FileDigests;
  /** Versions of installed packages that the code reaches, by name and place. */
  readonly packages: Readonly<Record<string, string>>;
  /** Declared input files. */
  readonly files: FileDigests;
  /** Declared variables: the digest of the value, since it may be a secret; null when unset. */
  readonly env: Readonly<Record<string, string | null>>;
}

export type SourceComponent =
  | { readonly alias: string; readonly function: string; readonly args: JsonObject }
  | {
      readonly alias: string;
      readonly reference: string;
      readonly fileName: string;
      readonly loader: string | null;
      /** The loader is written in another language: the consumer's own, or a built-in one, reads the artifact. */
      readonly foreign?: true;
    };

/** The key that the replicates of a condition share: the digest of its components. */
export function conditionKey(components: KeyComponents): string {
  return sha256(canonicalJson(components as unknown as Json));
}

/**
 * What tells the replicates of one condition apart: index, seed, and the digests of the artifacts that this one reads,
 * in the order of the sources.
 */
export function replicateKey(replicate: number, seed: number, artifacts: readonly string[]): string {
  let key = `${replicate}:${seed}`;
  for (const digest of artifacts) key += `:${digest}`;
  return key;
}

interface Lab {
  readonly conditions: number;
  readonly replicates: number;
}
interface Ran {
  readonly runMs: number;
  readonly steadyMs: number;
  readonly processMs: number;
  readonly peakMiB: number;
  readonly reused: number;
}
export function trivialLab(lab: Lab): string;
export function bareLoop(
  root: string,
  lab: Lab,
): { readonly runMs: number; readonly processMs: number; readonly sum: number };
export function runOnce(root: string, store?: string, workers?: number, flags?: readonly string[]): Ran;
export function median(values: readonly number[]): number;

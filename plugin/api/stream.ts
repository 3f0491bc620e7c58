import type { ConditionStatus } from '../runtime/events.ts';
import type { RanCondition } from './collect-result.ts';
import type { ResolvedExperiments } from './origin.ts';
import type { ReplicateMetrics, Result } from './result.ts';
import { runGraph } from './run-graph.ts';
import type { GraphRunOptions } from './run-options.ts';

/** Something that is finished while the rest of a graph still runs. */
export type StreamItem =
  | {
      readonly type: 'replicate';
      readonly experiment: string;
      readonly condition: string;
      readonly replicate: number;
      readonly metrics: ReplicateMetrics;
      /** It was taken from the run store. */
      readonly reused: boolean;
    }
  | {
      readonly type: 'condition';
      readonly experiment: string;
      readonly condition: string;
      readonly status: ConditionStatus;
    }
  | { readonly type: 'result'; readonly experiment: string; readonly result: Result };

/** Runs a graph and gives what is finished; stops it when nobody asks for more. */
export async function* streamGraph(
  experiments: ResolvedExperiments,
  options: GraphRunOptions,
): AsyncGenerator<StreamItem, void, undefined> {
  const queue: StreamItem[] = [];
  const told = new Set<string>();
  const leaving = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, leaving.signal]) : leaving.signal;
  let wake = (): void => {};
  let over = false;
  const push = (item: StreamItem): void => {
    queue.push(item);
    wake();
  };
  const running = runGraph(
    experiments,
    {
      ...options,
      signal,
      onEvent: (event) => {
        options.onEvent?.(event);
        if (event.type !== 'replicate-finished') return;
        const { experiment, condition, id } = event.planned;
        const { replicate, metrics } = event.record;
        told.add(`${id}/${replicate}`);
        push({ type: 'replicate', experiment, condition, replicate, metrics, reused: false });
      },
    },
    {
      onCondition: (ran) => {
        for (const item of reusedReplicates(ran, told)) push(item);
        const { experiment, condition } = ran.outcome.planned;
        push({ type: 'condition', experiment, condition, status: ran.outcome.status });
      },
      onResult: (result) => push({ type: 'result', experiment: result.experiment, result }),
    },
  ).finally(() => {
    over = true;
    wake();
  });
  running.catch(() => {}); // it is awaited below, unless nobody asks for more
  try {
    for (;;) {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) yield item;
      if (over) break;
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (over || queue.length > 0) resolve();
      });
    }
    await running;
  } finally {
    leaving.abort();
    await running.catch(() => {});
  }
}

function reusedReplicates({ outcome, manifest }: RanCondition, told: ReadonlySet<string>): StreamItem[] {
  const { experiment, condition, id } = outcome.planned;
  return (manifest?.replicates ?? [])
    .filter(({ replicate }) => !told.has(`${id}/${replicate}`))
    .map(({ replicate, metrics }) => ({
      type: 'replicate',
      experiment,
      condition,
      replicate,
      metrics,
      reused: true,
    }));
}

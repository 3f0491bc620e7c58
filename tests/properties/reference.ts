import type { Sketch, World } from './graphs.ts';

/**
 * The rules of propagation, read literally from docs/reference/config.md and computed the slow way. It shares no code with the
 * plugin.
 */
export class Reference {
  constructor(private readonly world: World) {}

  /** conditions(E) = {baseline} + own treatments of E + conditions of every upstream of E */
  conditions(name: string): Set<string> {
    const experiment = this.find(name);
    const all = new Set(['baseline', ...experiment.treatments.map((t) => t.name)]);
    for (const up of this.upstream(name)) for (const condition of this.conditions(up)) all.add(condition);
    return all;
  }

  /** Everything that it names as a source, under whatever condition. */
  upstream(name: string): Set<string> {
    const { datasource, baseline, treatments } = this.find(name);
    const sources = [datasource, baseline?.swaps ?? {}, ...treatments.map((t) => t.swaps)].flatMap(
      (entries) => Object.values(entries),
    );
    return new Set(sources.filter((source) => source !== undefined));
  }

  /** Under T: its own T if it has one, else its baseline values, each over params. */
  context(name: string, condition: string): Record<string, number> {
    const { params, baseline, treatments } = this.find(name);
    const own = treatments.find((t) => t.name === condition) ?? baseline;
    return { ...params, ...own?.values };
  }

  /** By alias: which upstream is read, and at which condition; undefined for a function. */
  sources(name: string, condition: string): Map<string, string | undefined> {
    const { datasource, baseline, treatments } = this.find(name);
    const own = treatments.find((t) => t.name === condition) ?? baseline;
    const found = new Map<string, string | undefined>();
    for (const alias of Object.keys(datasource)) {
      const up = own !== undefined && alias in own.swaps ? own.swaps[alias] : datasource[alias];
      if (up === undefined) found.set(alias, undefined);
      else found.set(alias, `${up}/${this.conditions(up).has(condition) ? condition : 'baseline'}`);
    }
    return found;
  }

  /** Every condition that is needed for one, that one included. */
  closure(name: string, condition: string): Set<string> {
    const needed = new Set([`${name}/${condition}`]);
    for (let before = -1; before !== needed.size; ) {
      before = needed.size;
      for (const id of [...needed]) {
        const [experiment = '', at = ''] = id.split('/');
        for (const source of this.sources(experiment, at).values())
          if (source !== undefined) needed.add(source);
      }
    }
    return needed;
  }

  /** Its own number, else the one number above 1 of its upstream, else 1; 'mismatch' when there are several. */
  replicates(name: string): number | 'mismatch' {
    const counts = new Set<number>();
    for (const up of this.upstream(name)) {
      const count = this.replicates(up);
      if (count === 'mismatch') return 'mismatch';
      if (count > 1) counts.add(count);
    }
    if (counts.size > 1) return 'mismatch';
    return this.find(name).replicates ?? [...counts][0] ?? 1;
  }

  private find(name: string): Sketch {
    const experiment = this.world.experiments.find((e) => e.name === name);
    if (experiment === undefined) throw new Error(`no experiment ${name}`);
    return experiment;
  }
}

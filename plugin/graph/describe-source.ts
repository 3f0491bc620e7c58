import type { ResolvedSource } from './conditions.ts';

/** Where a datasource gets its value, in a few words. */
export function describeSource(source: ResolvedSource): string {
  if (source.type === 'artifact') {
    return `${source.experiment}#${source.output.alias} at ${source.condition}`;
  }
  const args = Object.keys(source.args).length === 0 ? '' : ` ${JSON.stringify(source.args)}`;
  return `${source.name}${args}`;
}

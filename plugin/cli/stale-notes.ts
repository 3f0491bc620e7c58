import type { ConditionPreview } from '../runtime/run/preview.ts';

/** Without a run store. */
export const UNKNOWN_AGE =
  'The run store is off: it cannot be told whether these results are those of the code as it is.';

/**
 * What there is to say of results in place that are not those of the code and configuration as they are.
 *
 * @param present conditions that have results
 */
export function staleNotes(
  experiment: string,
  previews: readonly ConditionPreview[],
  present: ReadonlySet<string>,
): string[] {
  const names = (wanted: boolean): string =>
    previews
      .filter(({ planned, isCurrent }) => !isCurrent && present.has(planned.condition) === wanted)
      .map(({ planned, reasons }) =>
        reasons.length > 0 ? `${planned.condition} (${reasons.join(', ')})` : planned.condition,
      )
      .join(', ');
  // Under Nx the project and its target may have other names.
  const again = `Run it again: npx nx-experiments run ${experiment}`;
  const [stale, missing] = [names(true), names(false)];
  return [
    ...(stale === ''
      ? []
      : [`STALE: not the results of the code and configuration as they are: ${stale}. ${again}`]),
    ...(missing === '' ? [] : [`Without results: ${missing}. ${again}`]),
  ];
}

import {
  type ConditionRef,
  type PlannedCondition,
  planConditions,
  type RunOverrides,
} from '../../plugin/runtime/plan.ts';
import { graphOf } from './configs.ts';

/** A planned condition of a small experiment "lab". */
export function plannedLab(
  more = '',
  overrides: RunOverrides = {},
  condition = 'baseline',
): PlannedCondition {
  const graph = graphOf({ lab: `datasource: { raw: load }\nsteps: [run]\n${more}` });
  const wanted: ConditionRef[] = [{ experiment: 'lab', condition }];
  const [planned] = planConditions(graph, wanted, overrides);
  if (planned === undefined) throw new Error('nothing was planned');
  return planned;
}

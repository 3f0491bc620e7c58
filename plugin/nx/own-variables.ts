import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PlannedCondition } from '../runtime/plan.ts';

/**
 * A declared variable that a `.env` file of the experiment's folder sets. Nx reads those for a task in a process of its own, and
 * not for tasks that run together, under one hash: what a replicate computes must not depend on which of the two it is.
 *
 * @returns what to tell; undefined when there is none
 */
export function variableOfFolder(root: string, { folder, inputs }: PlannedCondition): string | undefined {
  const names = inputs.flatMap((input) => (input.type === 'env' ? [input.name] : []));
  if (names.length === 0 || folder === '.') return undefined;
  const place = join(root, folder);
  for (const entry of readdirSync(place, { withFileTypes: true })) {
    const file = entry.name;
    if (!entry.isFile() || !/^\.(?:.+\.)?env(?:\..+)?$/.test(file)) continue;
    const lines = readFileSync(join(place, file), 'utf8').matchAll(/^\s*(?:export\s+)?([^\s=#]+)\s*=/gm);
    const set = new Set([...lines].map(([, variable]) => variable));
    const name = names.find((candidate) => set.has(candidate));
    if (name !== undefined)
      return `Nx reads ${folder}/${file} for some ways of running and not for others: set ${name} in the .env of the workspace root`;
  }
  return undefined;
}

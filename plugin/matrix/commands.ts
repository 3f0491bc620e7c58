import { compareText } from '../base/diagnostics.ts';
import type { MatrixTask } from './tasks.ts';

/** One argument of a program may have 128 KiB on Linux. */
const MAX_CHARACTERS = 60_000;

/**
 * Arguments of `nx` that run these tasks and what they wait for: `run-many` takes all projects with all targets of a line, so
 * that projects are put together by the targets they have here. No word has a blank in it.
 */
export function commandsOf(tasks: readonly MatrixTask[]): string[] {
  const targetsOf = new Map<string, string[]>();
  for (const { project, target } of tasks)
    targetsOf.set(project, [...(targetsOf.get(project) ?? []), target]);
  const projectsOf = new Map<string, string[]>();
  for (const [project, targets] of targetsOf) {
    const key = targets.sort(compareText).join(',');
    projectsOf.set(key, [...(projectsOf.get(key) ?? []), project]);
  }
  return [...projectsOf]
    .sort(([a], [b]) => compareText(a, b))
    .flatMap(([targets, projects]) =>
      inLines(projects.sort(compareText)).map((line) => `run-many --targets=${targets} --projects=${line}`),
    );
}

function inLines(names: readonly string[]): string[] {
  const lines: string[] = [];
  for (const name of names) {
    const last = lines.at(-1);
    if (last === undefined || last.length + name.length >= MAX_CHARACTERS) lines.push(name);
    else lines[lines.length - 1] = `${last},${name}`;
  }
  return lines;
}

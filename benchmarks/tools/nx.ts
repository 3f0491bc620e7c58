import type { Shape } from '../shapes.ts';
import { type Contender, writeFiles } from './contender.ts';
import { nxCommand, nxFiles, nxStop } from './nx-command.ts';
import { linkPackages } from './ours.ts';
import { comparisonLine, shellLine, shellValues } from './shell.ts';

/**
 * The same graph as `project.json` files with `nx:run-commands`.
 *
 * @param comparisons a task for each experiment that puts its conditions together, as ours have
 */
export function plainNx(
  options: { readonly daemon?: boolean; readonly comparisons?: boolean } = {},
): Contender {
  const { daemon, comparisons = true } = options;
  return {
    name: `Nx, run-commands${comparisons ? '' : ', no comparisons'}${daemon ? ', daemon on' : ''}`,
    prepare: (root, shape) => {
      writeFiles(root, nxFiles([]));
      writeProjects(root, shape, comparisons);
      linkPackages(root);
    },
    run: (root) =>
      nxCommand(
        root,
        ['run-many', '-t', comparisons ? 'experiment' : 'experiment--baseline,experiment--high'],
        daemon,
      ),
    values: shellValues,
    // The daemon is what is kept.
    cold: () => (daemon ? 'once' : 'each'),
    stop: (root) => nxStop(root, daemon),
  };
}

export function writeProjects(root: string, { experiments }: Shape, comparisons: boolean): void {
  for (const experiment of experiments) {
    const { name, reads, conditions } = experiment;
    const targets: Record<string, object> = {};
    for (const condition of conditions) {
      targets[`experiment--${condition}`] = {
        executor: 'nx:run-commands',
        options: { command: shellLine({ experiment, condition }) },
        cache: true,
        inputs: ['default', '^default'],
        outputs: [`{projectRoot}/results/${condition}`],
        ...(reads.length > 0 ? { dependsOn: [{ projects: reads, target: `experiment--${condition}` }] } : {}),
      };
    }
    if (comparisons) {
      targets.experiment = {
        executor: 'nx:run-commands',
        options: { command: comparisonLine(`experiments/${name}`) },
        cache: true,
        inputs: ['default', '^default'],
        outputs: ['{projectRoot}/results/report'],
        dependsOn: conditions.map((condition) => `experiment--${condition}`),
      };
    }
    writeFiles(root, {
      [`experiments/${name}/project.json`]: {
        name,
        ...(reads.length > 0 ? { implicitDependencies: reads } : {}),
        targets,
      },
    });
  }
}

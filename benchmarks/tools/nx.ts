import type { Shape } from '../shapes.ts';
import { type Contender, writeFiles } from './contender.ts';
import { type NxMode, nxCommand, nxFiles, nxStop } from './nx-command.ts';
import { linkPackages } from './ours.ts';
import { comparisonLine, outputOf, shellLine, shellValues } from './shell.ts';

/**
 * The same graph as `project.json` files with `nx:run-commands`: the same tasks with inputs of the same kinds, so that an
 * upstream change that leaves the artifact as it was stops there. `lean` is the least that one could write: no comparisons,
 * and the inputs that Nx takes by default.
 */
export function plainNx(options: { readonly mode?: NxMode; readonly lean?: boolean } = {}): Contender {
  const { mode, lean = false } = options;
  return {
    name: `Nx, run-commands${lean ? ', lean' : ''}${mode ? `, ${mode}` : ''}`,
    prepare: (root, shape) => {
      writeFiles(root, nxFiles([]));
      writeProjects(root, shape, lean);
      linkPackages(root);
    },
    run: (root) =>
      nxCommand(
        root,
        ['run-many', '-t', lean ? 'experiment--baseline,experiment--high' : 'experiment'],
        mode,
      ),
    values: shellValues,
    // With a daemon nothing is cold; how plugins are loaded shows where nothing is to do.
    cold: () => (mode === undefined ? 'each' : 'once'),
    stop: (root) => nxStop(root, mode),
  };
}

export function writeProjects(root: string, { experiments }: Shape, lean: boolean): void {
  for (const experiment of experiments) {
    const { name, reads, conditions } = experiment;
    const targets: Record<string, object> = {};
    for (const condition of conditions) {
      targets[`experiment--${condition}`] = {
        executor: 'nx:run-commands',
        options: { command: shellLine({ experiment, condition }) },
        cache: true,
        inputs: lean
          ? ['default', '^default']
          : [
              '{projectRoot}/**/*',
              '!{projectRoot}/results/**/*',
              ...reads.map((read) => ({
                dependentTasksOutputFiles: outputOf(read, condition),
                transitive: false,
              })),
            ],
        outputs: [`{projectRoot}/results/${condition}`],
        ...(reads.length > 0 ? { dependsOn: [{ projects: reads, target: `experiment--${condition}` }] } : {}),
      };
    }
    if (!lean) {
      targets.experiment = {
        executor: 'nx:run-commands',
        options: { command: comparisonLine(`experiments/${name}`) },
        cache: true,
        inputs: [
          '{projectRoot}/project.json',
          { dependentTasksOutputFiles: '**/value.txt', transitive: false },
        ],
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

import { expect, test } from 'vitest';
import { InferenceCache } from '../../plugin/build/nx/cache.js';
import { resolveOptions } from '../../plugin/build/nx/options.js';
import { ExperimentWorkspace } from '../../plugin/build/nx/workspace.js';
import { Lab } from '../support/engine.ts';

const STEPS = "import { scale } from './scale.ts';\nexport const step = (data: number) => scale(data);\n";

/** Infers what a workspace holds with the cache of the last time. @returns how many texts had to be parsed */
function infer(lab: Lab): { configs: number; modules: number } {
  const files = lab.files('.').filter((path) => path.endsWith('config.yaml'));
  const cache = new InferenceCache(`${lab.root}/cache.json`);
  const known = [cache.configs.size, cache.imports.size] as const;
  const options = resolveOptions({});
  const workspace = new ExperimentWorkspace(lab.root, files, cache, options.python);
  for (const node of workspace.discovery.graph.experiments.values()) workspace.codeOf(node);
  // Nothing leaves the map while it is used: what is new in it was parsed.
  const parsed = { configs: cache.configs.size - known[0], modules: cache.imports.size - known[1] };
  workspace.save(files, options);
  return parsed;
}

function lab(): Lab {
  const names = Array.from({ length: 20 }, (_, i) => `e${i}`);
  return new Lab(
    Object.fromEntries(
      names.flatMap((name) => [
        [
          `experiments/${name}/config.yaml`,
          `datasource: { data: one }\nsteps: [step]\ndescription: ${name}\n`,
        ],
        [`experiments/${name}/datasources.ts`, `export const one = () => '${name}'.length;\n`],
        [`experiments/${name}/steps.ts`, STEPS],
        [`experiments/${name}/unit.ts`, 'export const unit = 1;\n'],
        [
          `experiments/${name}/scale.ts`,
          `import { unit } from './unit.ts';\nexport const scale = (x: number) => x * unit; // ${name}\n`,
        ],
      ]),
    ),
  );
}

test('each text that imports something is parsed once, the same text once for all that have it, and later only what has changed', () => {
  using workspace = lab();
  expect(infer(workspace)).toEqual({ configs: 20, modules: 21 });
  expect(infer(workspace)).toEqual({ configs: 0, modules: 0 });
  workspace.write({
    'experiments/e7/config.yaml': 'datasource: { data: one }\nsteps: [step]\nreplicates: 3\n',
  });
  expect(infer(workspace)).toEqual({ configs: 1, modules: 0 });
  workspace.write({
    'experiments/e7/scale.ts':
      "import { unit } from './unit.ts';\nexport const scale = (x: number) => 2 * unit * x;\n",
  });
  expect(infer(workspace)).toEqual({ configs: 0, modules: 1 });
  expect(infer(workspace)).toEqual({ configs: 0, modules: 0 });
});

test('what createNodes has seen is handed to createDependencies once, and only for the same files', () => {
  using workspace = lab();
  const files = workspace.files('.').filter((path) => path.endsWith('config.yaml'));
  const options = resolveOptions({});
  const open = () =>
    new ExperimentWorkspace(
      workspace.root,
      files,
      new InferenceCache(`${workspace.root}/cache.json`),
      undefined,
    );
  const seen = open();
  seen.save(files, options);
  expect(ExperimentWorkspace.resume(workspace.root, files.slice(1), options)).not.toBe(seen);
  expect(ExperimentWorkspace.resume(workspace.root, files, options)).not.toBe(seen);
  seen.save(files, options);
  expect(ExperimentWorkspace.resume(workspace.root, files, options)).toBe(seen);
  expect(ExperimentWorkspace.resume(workspace.root, files, options)).not.toBe(seen);
});

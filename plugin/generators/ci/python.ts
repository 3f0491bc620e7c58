import type { Tree } from '@nx/devkit';
import type { ExperimentConfig } from '../../config/config.ts';
import { MODULE_KINDS } from '../../io/code/modules.ts';

/** What the experiments of a workspace need of Python. */
export interface PythonSetup {
  /** Installs what the workspace says into a `.venv` at its root, where experiments look for their Python. */
  readonly install: readonly string[];
  /** Whether `install` takes care of the version as well. */
  readonly bringsPython: boolean;
  /** Whether the workspace names its version, in a file `.python-version`. */
  readonly namesVersion: boolean;
}

const TOOLS = '/tmp/tools';

/** Ways to say which packages are installed, the most exact first. */
const WAYS: Readonly<Record<string, readonly string[]>> = {
  'uv.lock': [...tool('uv'), `${TOOLS}/bin/uv sync --locked`],
  'poetry.lock': [
    ...tool('poetry'),
    `POETRY_VIRTUALENVS_IN_PROJECT=true ${TOOLS}/bin/poetry install --no-root --no-interaction`,
  ],
  'requirements.txt': ['python3 -m venv .venv', '.venv/bin/pip install -r requirements.txt'],
  'pyproject.toml': ['python3 -m venv .venv', '.venv/bin/pip install .'],
};

/** @returns undefined where no experiment is written in Python */
export function pythonIn(tree: Tree, experiments: readonly ExperimentConfig[]): PythonSetup | undefined {
  const isPython = ({ folder }: ExperimentConfig): boolean =>
    MODULE_KINDS.some((kind) => tree.exists(`${folder}/${kind}.py`));
  if (!experiments.some(isPython)) return undefined;
  const way = Object.keys(WAYS).find((file) => tree.exists(file)) ?? '';
  return {
    install: WAYS[way] ?? [],
    bringsPython: way === 'uv.lock',
    namesVersion: tree.exists('.python-version'),
  };
}

function tool(name: string): string[] {
  return [`python3 -m venv ${TOOLS}`, `${TOOLS}/bin/pip install ${name}`];
}

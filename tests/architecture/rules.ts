import type { Source } from './imports.ts';

/** Layers from the bottom up, each with what belongs to it: the first that matches a path is its layer. */
const LAYERS: readonly { readonly name: string; readonly rank: number; readonly paths: RegExp }[] = [
  { name: 'base', rank: 0, paths: /^base\// },
  { name: 'config', rank: 1, paths: /^config\// },
  { name: 'statistics', rank: 1, paths: /^statistics\// },
  { name: 'graph', rank: 2, paths: /^graph\// },
  {
    name: 'effect',
    rank: 5,
    paths: /^runtime\/(run|compare)\//,
  },
  { name: 'run', rank: 3, paths: /^(runtime\/|workers\/protocol\.ts$)/ },
  { name: 'report', rank: 4, paths: /^report\// },
  { name: 'matrix', rank: 4, paths: /^matrix\// },
  { name: 'picture', rank: 4, paths: /^picture\/(?!draw)/ },
  { name: 'effect', rank: 5, paths: /^(workers|store|io|picture|scale)\// },
  { name: 'edge', rank: 6, paths: /^(index|plugin)\.ts$|^(nx|api|executors|generators|migrations|cli)\// },
];

const LAST_PURE_RANK = 4;

/** What points up all the same, and why. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'workers/node/loader.ts -> index.ts': 'hands the package itself to modules that import it',
};

const EFFECTFUL_MODULES = /^(node:)?(fs|child_process|worker_threads|os|net|http|https|timers|process)(\/|$)/;
const EFFECTFUL_MEMBERS = /^((globalThis\.)?(Date\.now|Math\.random|performance\.|process\.)|new Date$)/;
const NX = /^(@nx\/|nx(\/|$))(?!.*\.ts$)/;

export function layerViolations({ path, imports }: Source): string[] {
  const layer = layerOf(path);
  if (layer === undefined) return [`${path} belongs to no layer: give it one in rules.ts`];
  return imports.flatMap((imported) => {
    if (!imported.endsWith('.ts') || `${path} -> ${imported}` in EXCEPTIONS) return [];
    const below = layerOf(imported);
    if (below === undefined) return [`${path} imports ${imported}, which belongs to no layer`];
    const points =
      below.rank > layer.rank ? 'up' : below.name !== layer.name && below.rank === layer.rank ? 'aside' : '';
    return points === '' ? [] : [`${path} (${layer.name}) points ${points} to ${imported} (${below.name})`];
  });
}

export function purityViolations({ path, imports, members }: Source): string[] {
  const layer = layerOf(path);
  // The terminal reporter and the targets are pure too, but live at the edge: their clock is a parameter.
  if (layer === undefined || layer.rank > LAST_PURE_RANK) return [];
  return [
    ...imports.filter((i) => EFFECTFUL_MODULES.test(i)).map((i) => `${path} is pure but imports ${i}`),
    ...members.filter((m) => EFFECTFUL_MEMBERS.test(m)).map((m) => `${path} is pure but uses ${m}`),
  ];
}

/** The engine runs without Nx: of the edge, api/ must not know it either. */
export function nxViolations({ path, imports }: Source): string[] {
  if (layerOf(path)?.name === 'edge' && !path.startsWith('api/')) return [];
  return imports.filter((i) => NX.test(i)).map((i) => `${path} is no edge to Nx but imports ${i}`);
}

export function exportViolations({ path, hasDefaultExport }: Source): string[] {
  // A declaration says how another package is.
  const allowed = /^(executors|generators|migrations)\/|\.d\.ts$/.test(path);
  return hasDefaultExport && !allowed ? [`${path} has a default export`] : [];
}

export function anyViolations({ path, hasAny }: Source): string[] {
  return hasAny ? [`${path} uses "any"`] : [];
}

/** Files that import each other, types included: each such group by the paths in it. */
export function importCycles(sources: readonly Source[]): string[] {
  const edges = new Map(sources.map(({ path, imports }) => [path, imports]));
  const below = (from: string): string[] =>
    (edges.get(from) ?? []).filter((to) => !(`${from} -> ${to}` in EXCEPTIONS));
  const reaches = (from: string): Set<string> => {
    const seen = new Set<string>();
    const open = below(from);
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (seen.has(next)) continue;
      seen.add(next);
      open.push(...below(next));
    }
    return seen;
  };
  return sources
    .filter(({ path }) => reaches(path).has(path))
    .map(({ path }) => `${path} imports itself in a circle`);
}

function layerOf(path: string): (typeof LAYERS)[number] | undefined {
  return LAYERS.find(({ paths }) => paths.test(path));
}

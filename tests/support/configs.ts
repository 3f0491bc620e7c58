import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { formatDiagnostic, sortDiagnostics } from '../../plugin/base/diagnostics.ts';
import type { ExperimentConfig } from '../../plugin/config/config.ts';
import { parseConfig } from '../../plugin/config/parse.ts';
import type { Graph } from '../../plugin/graph/graph.ts';
import { resolveGraph } from '../../plugin/graph/resolve.ts';
import { readExperiments } from '../../plugin/io/discover.ts';

/** Contents by path, as `producer/config.yaml`. */
export type Files = Readonly<Record<string, string | Uint8Array>>;

/** The whole text that a user sees for these files, which are written to a folder and read from there. */
export async function diagnose(files: Files): Promise<string> {
  const root = mkdtempSync(join(tmpdir(), 'experiments-'));
  try {
    for (const [file, content] of Object.entries(files)) {
      await mkdir(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), content);
    }
    const { diagnostics, texts } = readExperiments(root, Object.keys(files).sort());
    return sortDiagnostics(diagnostics)
      .map((diagnostic) => `${formatDiagnostic(diagnostic, (file) => texts.get(file))}\n`)
      .join('\n');
  } finally {
    rmSync(root, { recursive: true });
  }
}

/** The configuration of a text that is correct. */
export function configOf(text: string, file = 'lab/config.yaml'): ExperimentConfig {
  const parsed = parseConfig(file, text);
  if (!parsed.ok) throw new Error(parsed.diagnostics.map((d) => formatDiagnostic(d, () => text)).join('\n'));
  return parsed.value;
}

/** What `parseConfig` says about a text that is wrong, without positions: `code: message remedy`. */
export function problemsOf(text: string, file = 'lab/config.yaml'): string[] {
  const parsed = parseConfig(file, text);
  return parsed.ok ? [] : parsed.diagnostics.map((d) => `${d.code}: ${d.message} ${d.remedy}`);
}

/** The graph of correct texts by experiment name. */
export function graphOf(texts: Readonly<Record<string, string>>): Graph {
  const configs = Object.entries(texts).map(([name, text]) => configOf(text, `${name}/config.yaml`));
  const { graph, diagnostics } = resolveGraph(configs);
  if (diagnostics.length > 0) throw new Error(diagnostics.map((d) => d.message).join('\n'));
  return graph;
}

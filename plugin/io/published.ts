import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../base/digest.ts';
import { type ConditionManifest, parseManifest } from '../runtime/manifest.ts';
import { artifactsFolder, manifestPath } from './condition-folder.ts';
import { digestFile } from './digest-file.ts';
import { relativePath } from './paths.ts';

/**
 * Reads results that were published before, when they are the same to the last byte: metrics.json by its digest, every
 * artifact by the one that metrics.json says, and no file beside them.
 *
 * @param results absolute path of the folder of all conditions' results
 * @param digest of metrics.json
 */
export async function readPublished(
  results: string,
  { condition, outputs }: { readonly condition: string; readonly outputs: readonly unknown[] },
  digest: string,
): Promise<ConditionManifest | undefined> {
  try {
    const text = readFileSync(manifestPath(results, condition), 'utf8');
    const manifest = sha256(text) === digest ? parseManifest(text) : undefined;
    if (manifest === undefined) return undefined;
    const folder = artifactsFolder(results, condition);
    const expected = new Map<string, string>(
      manifest.replicates.flatMap(({ replicate, artifacts }) =>
        Object.values(artifacts).map(
          (artifact) => [`replicate_${replicate}/${artifact.fileName}`, artifact.sha256] as const,
        ),
      ),
    );
    const files = outputs.length === 0 && expected.size === 0 ? [] : filesBelow(folder);
    if (files.length !== expected.size) return undefined;
    for (const file of files) {
      if ((await digestFile(join(folder, file))) !== expected.get(file)) return undefined;
    }
    return manifest;
  } catch {
    return undefined; // what cannot be read is made anew
  }
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relativePath(folder, join(entry.parentPath, entry.name)));
}

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../base/digest.ts';
import { parseManifest } from '../runtime/manifest.ts';
import { artifactsFolder, manifestPath } from './condition-folder.ts';
import { digestFile } from './digest-file.ts';
import { relativePath } from './paths.ts';

/**
 * Whether published results are the same to the last byte: metrics.json by its digest, every artifact by the one that
 * metrics.json says, and no file beside them.
 *
 * @param folder absolute path of the folder that holds the results
 * @param name theirs in it
 * @param digest of metrics.json
 * @param hasArtifacts false: metrics.json is all that there is
 */
export async function isUntouched(
  folder: string,
  name: string,
  digest: string,
  hasArtifacts: boolean,
): Promise<boolean> {
  const path = manifestPath(folder, name);
  try {
    if (!hasArtifacts) return (await digestFile(path)) === digest;
    const text = readFileSync(path, 'utf8');
    const manifest = sha256(text) === digest ? parseManifest(text) : undefined;
    if (manifest === undefined) return false;
    const expected = new Map<string, string>();
    for (const { replicate, artifacts } of manifest.replicates) {
      for (const { fileName, sha256: content } of Object.values(artifacts))
        expected.set(`replicate_${replicate}/${fileName}`, content);
    }
    const place = artifactsFolder(folder, name);
    const files = filesBelow(place);
    if (files.length !== expected.size) return false;
    for (const file of files) {
      if ((await digestFile(join(place, file))) !== expected.get(file)) return false;
    }
    return true;
  } catch {
    return false; // what cannot be read is made anew
  }
}

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relativePath(folder, join(entry.parentPath, entry.name)));
}

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../../base/digest.ts';
import { type ConditionManifest, furtherArtifacts, parseManifest } from '../../runtime/manifest.ts';
import { digestFile } from '../digest-file.ts';
import { filesBelow } from '../files-below.ts';
import { artifactsFolder, manifestPath, readFurtherArtifacts } from '../writing/condition-folder.ts';

/** Results that are the last that were published. */
export interface Untouched {
  /** Undefined when nobody had to read it. */
  readonly manifest: ConditionManifest | undefined;
}

/**
 * Looks whether published results are the same to the last byte: metrics.json by its digest, every artifact by the one that
 * metrics.json says, and no file beside them.
 *
 * @param folder absolute path of the folder that holds the results
 * @param name theirs in it
 * @param digest of metrics.json
 * @param declaredReplicates how many the config has; undefined: there are no artifacts, and metrics.json is all that there is
 * @returns undefined when they are not
 */
export async function untouched(
  folder: string,
  name: string,
  digest: string,
  declaredReplicates: number | undefined,
): Promise<Untouched | undefined> {
  const path = manifestPath(folder, name);
  try {
    if (declaredReplicates === undefined)
      return (await digestFile(path)) === digest ? { manifest: undefined } : undefined;
    const text = readFileSync(path, 'utf8');
    const manifest = sha256(text) === digest ? parseManifest(text) : undefined;
    if (manifest === undefined) return undefined;
    if (readFurtherArtifacts(folder, name) !== furtherArtifacts(manifest, declaredReplicates))
      return undefined;
    const expected = new Map<string, string>();
    for (const { replicate, artifacts } of manifest.replicates) {
      for (const { fileName, sha256: content } of Object.values(artifacts))
        expected.set(`replicate_${replicate}/${fileName}`, content);
    }
    const place = artifactsFolder(folder, name);
    const files = existsSync(place) ? filesBelow(place) : [];
    if (files.length !== expected.size) return undefined;
    for (const file of files) {
      if ((await digestFile(join(place, file))) !== expected.get(file)) return undefined;
    }
    return { manifest };
  } catch {
    return undefined; // what cannot be read is made anew
  }
}

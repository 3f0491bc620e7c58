import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestFile } from '../../io/digest-file.ts';
import { relativePath } from '../../io/paths.ts';
import { soon } from '../../io/soon.ts';
import { artifactsFolder, manifestPath } from '../../io/writing/condition-folder.ts';
import type { RunStore } from '../../store/store.ts';
import { ReplicateError } from '../failures.ts';
import { type ConditionManifest, parseManifest } from '../manifest.ts';
import { conditionId, type PlannedCondition, type PlannedSource, replicatesOf } from '../plan.ts';

type ArtifactSource = Extract<PlannedSource, { type: 'artifact' }>;

/**
 * What a condition reads by one reference `experiment#output`: the digest of each replicate's artifact, by its index. Of
 * those that a shard does not read the digest is empty.
 */
export interface UpstreamDigests {
  readonly name: string;
  readonly digests: readonly string[];
}

/** The artifacts that conditions read, each checked against the manifest of the run that made it. One for a run. */
export class UpstreamArtifacts {
  private readonly manifests = new Map<string, Promise<ConditionManifest | undefined>>();
  private readonly digests = new Map<string, Promise<string>>();

  constructor(
    private readonly root: string,
    private readonly store: RunStore | undefined,
  ) {}

  /** What this run has made itself needs no second look. */
  made(manifest: ConditionManifest): void {
    this.manifests.set(conditionId(manifest), Promise.resolve(manifest));
    for (const { replicate, artifacts } of manifest.replicates) {
      for (const [alias, { sha256 }] of Object.entries(artifacts)) {
        this.digests.set(artifactKey(manifest, replicate, alias), Promise.resolve(sha256));
      }
    }
  }

  /**
   * Digests of the artifacts that a condition reads.
   *
   * @param repaired hears of each damaged file that was replaced from the store
   * @throws ReplicateError when one is missing, or is not what its manifest says and cannot be repaired
   */
  async digestsOf(planned: PlannedCondition, repaired: (path: string) => void): Promise<UpstreamDigests[]> {
    const all: UpstreamDigests[] = [];
    for (const source of planned.sources) {
      if (source.type !== 'artifact') continue;
      const count = Math.min(planned.replicates, source.upstreamReplicates);
      const read = new Set(replicatesOf(planned).map((replicate) => replicate % source.upstreamReplicates));
      const digests = await Promise.all(
        Array.from({ length: count }, (_, replicate) =>
          read.has(replicate) ? this.digest(source, replicate, repaired) : '',
        ),
      );
      all.push({ name: `${source.experiment}#${source.output.alias}`, digests });
    }
    return all;
  }

  /** Digests of all that a condition reads by its manifests, also of what a shard leaves to others: alike for all of them. */
  async offered({ sources, replicates }: PlannedCondition): Promise<string[]> {
    const all: string[] = [];
    for (const source of sources) {
      if (source.type !== 'artifact') continue;
      const manifest = await this.manifest(source);
      const read = manifest?.replicates.filter(({ replicate }) => replicate < replicates) ?? [];
      // Those that this run has made stand in the order in which they have finished.
      for (const { artifacts } of read.sort((a, b) => a.replicate - b.replicate))
        all.push(artifacts[source.output.alias]?.sha256 ?? '');
    }
    return all;
  }

  private digest(
    source: ArtifactSource,
    replicate: number,
    repaired: (path: string) => void,
  ): Promise<string> {
    const key = artifactKey(source, replicate, source.output.alias);
    const known = this.digests.get(key) ?? this.check(source, replicate, repaired);
    this.digests.set(key, known);
    return known;
  }

  private async check(
    source: ArtifactSource,
    replicate: number,
    repaired: (path: string) => void,
  ): Promise<string> {
    const results = join(this.root, source.upstreamResults);
    const path = join(
      artifactsFolder(results, source.condition),
      `replicate_${replicate}`,
      source.output.fileName,
    );
    const maker = { experiment: source.experiment, condition: source.condition };
    const manifest = await this.manifest(source);
    const expected = manifest?.replicates.find((r) => r.replicate === replicate)?.artifacts[
      source.output.alias
    ]?.sha256;
    if (expected === undefined) {
      const missing = manifest === undefined ? manifestPath(results, source.condition) : path;
      throw new ReplicateError({ reason: 'upstream-missing', path: relativePath(this.root, missing), maker });
    }
    const actual = await soon(() => digestFile(path).catch(() => undefined));
    if (actual === expected) return expected;
    if (await this.store?.repair(expected, path).catch(() => false)) {
      repaired(relativePath(this.root, path));
      return expected;
    }
    const reason = actual === undefined ? 'upstream-missing' : 'upstream-damaged';
    throw new ReplicateError({ reason, path: relativePath(this.root, path), maker });
  }

  private manifest(source: ArtifactSource): Promise<ConditionManifest | undefined> {
    const id = conditionId(source);
    const known = this.manifests.get(id) ?? this.readManifest(source);
    this.manifests.set(id, known);
    return known;
  }

  private async readManifest({
    upstreamResults,
    condition,
  }: ArtifactSource): Promise<ConditionManifest | undefined> {
    const path = manifestPath(join(this.root, upstreamResults), condition);
    const text = await soon(async () => readText(path));
    return text === undefined ? undefined : parseManifest(text);
  }
}

function artifactKey(
  { experiment, condition }: { experiment: string; condition: string },
  replicate: number,
  alias: string,
): string {
  return `${experiment}/${condition}/${replicate}/${alias}`;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

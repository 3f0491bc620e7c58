import { compareText } from '../../base/diagnostics.ts';
import type { DossierArtifact } from '../dossier.ts';

/** In the order of their paths. */
export function artifactsByCondition(artifacts: readonly DossierArtifact[]): Map<string, DossierArtifact[]> {
  const groups = new Map<string, DossierArtifact[]>();
  for (const artifact of [...artifacts].sort((a, b) => compareText(a.path, b.path))) {
    const group = groups.get(artifact.condition);
    if (group === undefined) groups.set(artifact.condition, [artifact]);
    else group.push(artifact);
  }
  return groups;
}

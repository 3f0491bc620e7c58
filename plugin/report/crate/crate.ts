import type { Dossier } from '../dossier.ts';

export function renderCrate(dossier: Dossier): string {
  return dossier.report.experiment;
}

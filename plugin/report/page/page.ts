import type { Dossier } from '../dossier.ts';

export async function renderPage(dossier: Dossier): Promise<string> {
  return dossier.report.experiment;
}

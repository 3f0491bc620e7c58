import { SettingsError } from '../base/settings-error.ts';
import { count, formatBytes } from '../report/numbers.ts';
import { pruneStore, storeStats, verifyStore } from '../store/maintenance.ts';
import { type Command, toJson } from './command.ts';
import { openWorkspace } from './workspace.ts';

const ACTIONS = ['stats', 'prune', 'verify'] as const;

/** `nx-experiments store stats|prune|verify`. */
export const run: Command['run'] = async ({ cwd, names: [action], json }, print) => {
  const { text, ok } = await act(cwd, action, json);
  print(text);
  return ok ? 0 : 1;
};

async function act(
  cwd: string,
  action: string | undefined,
  json: boolean,
): Promise<{ text: string; ok: boolean }> {
  const { folder, maxBytes } = openWorkspace(cwd).store;
  if (folder === undefined)
    throw new SettingsError('The run store is off (NX_EXPERIMENTS_STORE, or "store" in nx.json).');
  const show = (value: object, text: string): string => (json ? toJson({ folder, ...value }) : text);
  switch (action) {
    case 'stats': {
      const stats = await storeStats(folder);
      const text = `${folder}\n  ${count(stats.replicates, 'replicate')} in ${count(stats.records, 'record file')}\n  ${count(stats.objects, 'artifact')}\n  ${formatBytes(stats.bytes)} of at most ${formatBytes(maxBytes)}\n`;
      return { text: show({ ...stats, maxBytes }, text), ok: true };
    }
    case 'prune': {
      const pruned = await pruneStore(folder, maxBytes, Date.now());
      const text = `${count(pruned.removed, 'file')} removed, ${formatBytes(pruned.freedBytes)} freed, ${formatBytes(pruned.keptBytes)} kept.\n`;
      return { text: show(pruned, text), ok: true };
    }
    case 'verify': {
      const verified = await verifyStore(folder);
      const found = verified.problems.map((problem) => `${problem}\n`).join('');
      const { records, objects, histories, problems } = verified;
      const checked = `${count(records, 'record file')}, ${count(objects, 'artifact')} and ${histories} ${histories === 1 ? 'history' : 'histories'}`;
      const text = `${found}${checked} checked: ${count(problems.length, 'problem')}.\n`;
      return { text: show(verified, text), ok: problems.length === 0 };
    }
    default:
      throw new SettingsError(`"store" takes one of: ${ACTIONS.join(', ')}.`);
  }
}

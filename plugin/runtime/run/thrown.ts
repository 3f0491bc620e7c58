import { join } from 'node:path';
import { relativePath } from '../../io/paths.ts';
import { ReplicateError, type RunFailure } from '../failures.ts';
import { type PlannedCondition, placeOf } from '../plan.ts';

/** What an error says that ended a condition as a whole: raised by us, or by the file system. */
export function failureOf(thrown: unknown, planned: PlannedCondition, root: string): RunFailure {
  if (thrown instanceof ReplicateError) return thrown.failure;
  const { name, message, path = '', dest = path } = thrown as NodeJS.ErrnoException & { dest?: string };
  // The path in the message may be that of a folder which is gone before anyone can look at it.
  const error = { name, message: message.replace(/, \w+ '.*'$/, ''), stack: '' };
  const place = placeOf(planned);
  return dest === '' || dest.startsWith(join(root, planned.results))
    ? { reason: 'results-unwritable', path: `${place.folder}/${place.name}`, error }
    : { reason: 'file-unreadable', path: relativePath(root, dest), error };
}

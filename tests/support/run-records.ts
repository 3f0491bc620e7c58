/** Whether a file of the results tells of times and versions of its run; all others are the same bytes from run to run. */
export function isRunRecord(path: string): boolean {
  return /(^|[/\\])(run\.jsonl|report\.html|ro-crate-metadata\.json)$/.test(path);
}

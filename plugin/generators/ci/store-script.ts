/** Where jobs have their run store, and what moves between them as files: stateless machines share nothing else. */
export const STORE = '.nx/experiments';
export const MOVED = '.nx/moved';

/** Lines of shell that add what other jobs have finished. Every file of a store is named by its content or its writer. */
export function unpackStore(): string[] {
  return [
    `for moved in ${MOVED}/*.tar; do`,
    '  if [ -f "$moved" ]; then tar --extract --file "$moved"; fi',
    'done',
    `rm -rf ${MOVED}`,
  ];
}

/** Remembers what is there before a job runs; to be followed by `packStore`. */
export function beginStore(): string[] {
  return [
    `mkdir -p ${STORE}/v1`,
    `touch ${STORE}/began`,
    `find ${STORE}/v1 -type f | LC_ALL=C sort > ${STORE}/before`,
  ];
}

/**
 * Packs what the job has added, and how long it took, which is written in place.
 *
 * @param name tells the file from those of other jobs
 */
export function packStore(name: string): string[] {
  return [
    `mkdir -p ${STORE}/v1/history ${MOVED}`,
    '{',
    `  find ${STORE}/v1 -type f -not -path '*/tmp/*' | LC_ALL=C sort | LC_ALL=C comm -13 ${STORE}/before -`,
    `  find ${STORE}/v1/history -type f -newer ${STORE}/began`,
    `} | LC_ALL=C sort -u > ${STORE}/added`,
    `if [ -s ${STORE}/added ]; then tar --create --file "${MOVED}/${name}.tar" --files-from ${STORE}/added; fi`,
  ];
}

/** Runs each line of NX_EXPERIMENTS_RUN, all of them even when one fails. */
export function runLines(exec: string): string[] {
  return [
    'failed=0',
    'while read -r line; do',
    `  ${exec} nx $line < /dev/null || failed=1`,
    'done <<< "$NX_EXPERIMENTS_RUN"',
    'exit $failed',
  ];
}

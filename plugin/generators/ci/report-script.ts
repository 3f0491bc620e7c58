/** Marks the comment, so that the next run finds it. */
export const MARKER = '<!-- nx-experiments -->';

/** GitHub refuses comments of more than 65,536 characters, GitLab of more than a million: what stays below in bytes fits. */
const MAX_BYTES = 57_000;
const MAX_NAMES = 20;

/**
 * Lines of a shell script that collects the reports of the affected experiments in `comment.md`: whole ones, since a part of
 * one may end within a table or a character; those that do not fit are named.
 */
export function collectReports(exec: string, target: string): string[] {
  return [
    `${exec} nx affected -t ${target} --graph=affected.json > /dev/null`,
    "node -e '",
    '  const { existsSync, readFileSync, rmSync, writeFileSync } = require("fs");',
    '  const { tasks } = JSON.parse(readFileSync("affected.json", "utf8")).tasks;',
    '  rmSync("affected.json");',
    `  const affected = Object.values(tasks).filter(({ target }) => target.target === "${target}");`,
    '  const reports = affected',
    '    .map(({ target, projectRoot }) => ({ name: target.project, file: projectRoot + "/results/report/report.md" }))',
    '    .filter(({ file }) => existsSync(file))',
    '    .sort((a, b) => (a.name < b.name ? -1 : 1));',
    `  let comment = "${MARKER}\\n## Experiments\\n\\n";`,
    '  const others = [];',
    '  for (const { name, file } of reports) {',
    '    const report = readFileSync(file, "utf8").trimEnd() + "\\n\\n";',
    `    if (Buffer.byteLength(comment + report) <= ${MAX_BYTES}) comment += report;`,
    '    else others.push(name);',
    '  }',
    '  if (affected.length === 0) comment += "No experiment is affected.\\n";',
    '  else if (reports.length === 0) comment += "No experiment has a report: see the log of the job.\\n";',
    '  if (others.length > 0) {',
    `    const named = others.slice(0, ${MAX_NAMES}).join(", ");`,
    `    const more = others.length > ${MAX_NAMES} ? " and " + (others.length - ${MAX_NAMES}) + " more" : "";`,
    '    comment += "In the artifacts of the job, for want of space here: " + named + more + ".\\n";',
    '  }',
    '  writeFileSync("comment.md", comment);',
    "'",
  ];
}

/** Marks the comment, so that the next run finds it. */
export const MARKER = '<!-- nx-experiments -->';

/** GitHub refuses comments of more than 65,536 characters, GitLab of more than a million. */
const MAX_CHARACTERS = 60_000;

/** Lines of a shell script that collects the reports of the affected experiments in `comment.md`. */
export function collectReports(exec: string, target: string): string[] {
  return [
    `printf '%s\\n## Experiments\\n\\n' '${MARKER}' > comment.md`,
    `for root in $(${exec} nx show projects --affected --with-target ${target} --json | node -e '`,
    '  const names = JSON.parse(require("fs").readFileSync(0, "utf8"));',
    '  const { execFileSync } = require("child_process");',
    '  for (const name of names) {',
    `    const shown = execFileSync("${exec.split(' ')[0]}", [${[...exec.split(' ').slice(1), 'nx', 'show', 'project'].map((word) => `"${word}"`).join(', ')}, name, "--json"], { encoding: "utf8" });`,
    '    console.log(JSON.parse(shown).root);',
    "  }'); do",
    '  report="$root/results/report/report.md"',
    '  if [ -f "$report" ]; then cat "$report" >> comment.md; echo >> comment.md; fi',
    'done',
    `if [ "$(wc -l < comment.md)" -le 3 ]; then echo 'No experiment has a report: see the log of the job.' >> comment.md; fi`,
    `if [ "$(wc -c < comment.md)" -gt ${MAX_CHARACTERS} ]; then head -c ${MAX_CHARACTERS} comment.md > short.md; printf '\\n\\nThe rest is in the artifacts of the job.\\n' >> short.md; mv short.md comment.md; fi`,
  ];
}

import { printable } from '../base/diagnostics.ts';
import type { ReportModel } from './model.ts';
import { renderTable } from './table.ts';

/** Text of report/report.md: the table, fenced, so that nothing in it is read as markup. */
export function renderMarkdown(model: ReportModel): string {
  const table = renderTable(model).replaceAll('```', "'''");
  return `# ${printable(model.experiment)}\n\n\`\`\`text\n${table}\`\`\`\n`;
}

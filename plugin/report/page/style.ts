import { ACCENT, FAINT, HOLLOW, INK, POINTS } from './charts.ts';

const LIGHT = `--paper: #ffffff; --ink: ${INK}; --soft: #52606d; --line: ${FAINT}; --wash: #f4f6f8; --accent: ${ACCENT};
  --points: ${POINTS}; --mark: #fff3c4; --good: #0b6b4f; --bad: #a61b1b; --alert: #fdecea;`;
const DARK = `--paper: #12171d; --ink: #e4e7eb; --soft: #a3b1bf; --line: #323f4b; --wash: #1b222b; --accent: #6cb6ff;
  --points: #7d9fc0; --mark: #4d3f0e; --good: #6fd6a8; --bad: #ff9b93; --alert: #3d1f1f;`;

/** Print is always light. Vega writes colours as attributes: the rules at the end put those of the scheme in their place. */
export const STYLE = `
:root { color-scheme: light dark; ${LIGHT} }
@media screen and (prefers-color-scheme: dark) { :root { ${DARK} } }
@media print { :root { color-scheme: light; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  overflow-wrap: anywhere; -webkit-text-size-adjust: 100%; }
main { max-width: 1232px; margin: 0 auto; padding: 2.25rem 1.5rem 3rem; }
a { color: var(--accent); }
code, pre { font: .875em/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
pre { margin: .5rem 0; padding: .6rem .8rem; background: var(--wash); border-radius: 4px; white-space: pre-wrap; max-height: 22rem; overflow: auto; }
.eyebrow { margin: 0; color: var(--soft); font-size: .875rem; font-weight: 600; letter-spacing: .02em; }
h1 { margin: .1rem 0 .75rem; font-size: 1.75rem; line-height: 1.25; font-weight: 650; letter-spacing: -.01em; text-wrap: balance; }
h2 { margin: 2.75rem 0 .75rem; padding-top: .9rem; border-top: 1px solid var(--line); font-size: 1.2rem; line-height: 1.3; }
h3 { margin: 1.5rem 0 .35rem; font-size: 1rem; }
article:first-of-type > h3 { margin-top: .5rem; }
.verdict { margin: 0 0 .75rem; padding: .75rem 1rem; background: var(--wash); border-left: 4px solid var(--accent); border-radius: 0 4px 4px 0;
  font-size: 1.0625rem; max-width: 60rem; }
.verdict.trouble { border-left-color: var(--bad); background: var(--alert); }
.facts { margin: 0; color: var(--soft); }
nav { margin-top: .75rem; display: flex; flex-wrap: wrap; gap: .25rem 1rem; }
.note { margin: .4rem 0; color: var(--soft); font-size: .875rem; max-width: 60rem; }
.alert { margin: .4rem 0; padding: .4rem .75rem; background: var(--alert); border-left: 4px solid var(--bad); border-radius: 0 4px 4px 0; }
.wide { position: relative; overflow-x: auto; margin: .5rem 0; }
.wide:focus-visible, pre:focus-visible, summary:focus-visible, a:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .75rem .3rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); overflow-wrap: normal; }
thead th { color: var(--soft); font-weight: 600; white-space: nowrap; vertical-align: bottom; }
tbody th { font-weight: 500; }
tbody th.name { position: sticky; left: 0; background: var(--paper); white-space: nowrap; }
time { white-space: nowrap; }
th:first-child, td { max-width: 26rem; overflow-wrap: break-word; }
.n { text-align: right; white-space: nowrap; }
mark { background: var(--mark); color: inherit; padding: .05rem .3rem; border-radius: 3px; }
small { color: var(--soft); }
.badge { white-space: nowrap; font-weight: 600; }
.badge.better { color: var(--good); }
.badge.worse { color: var(--bad); }
.badge.unclear, .badge.same, .badge.equivalent { color: var(--soft); font-weight: 400; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: .5rem 2rem; }
figure { margin: .25rem 0; min-width: 0; }
figcaption { color: var(--soft); font-size: .8125rem; }
.chart { max-width: 520px; margin: .25rem 0; }
.chart svg { display: block; width: 100%; height: auto; overflow: visible; }
.chart text { font-family: inherit; font-variant-numeric: tabular-nums; }
summary { cursor: pointer; color: var(--soft); }
.spec { font-size: .8125rem; }
details { margin: .35rem 0; }
.graph img { max-width: 100%; height: auto; background: #ffffff; border-radius: 4px; padding: .5rem; }
.images { display: flex; flex-wrap: wrap; gap: 1rem; margin: .75rem 0; align-items: flex-end; }
.images figure { max-width: min(100%, 16.5rem); }
.images img { display: block; max-width: 100%; max-height: 16rem; background: #ffffff; border: 1px solid var(--line); border-radius: 4px; }
.failures { padding-left: 1.1rem; }
.failures p { margin: .4rem 0; white-space: pre-wrap; }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .15rem 1.25rem; margin: .75rem 0; font-size: .875rem; }
dt { color: var(--soft); }
dd { margin: 0; }
.seeds { font-size: .8125rem; font-variant-numeric: tabular-nums; margin: .35rem 0; }
.chart [fill="${INK}"] { fill: var(--ink); }
.chart [fill="${POINTS}"] { fill: var(--points); }
.chart [fill="${ACCENT}"] { fill: var(--accent); }
.chart [fill="${HOLLOW}"] { fill: var(--paper); }
.chart [stroke="${INK}"] { stroke: var(--ink); }
.chart [stroke="${FAINT}"] { stroke: var(--line); }
.chart [stroke="${ACCENT}"] { stroke: var(--accent); }
@media (max-width: 600px) {
  main { padding: 1.25rem .75rem 2rem; }
  h1 { font-size: 1.4rem; }
}
@media print {
  main { max-width: none; padding: 0; }
  body { font-size: 10.5pt; }
  nav, .spec { display: none; }
  h2, h3 { break-after: avoid; }
  figure, tr, .alert { break-inside: avoid; }
  .charts { grid-template-columns: 1fr 1fr; gap: .25rem 1rem; }
  .wide, pre { overflow: visible; max-height: none; }
  table { font-size: 8pt; }
  th, td { padding-right: .5rem; }
  * { print-color-adjust: exact; }
}
`;

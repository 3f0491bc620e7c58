/**
 * Steps that misbehave in replicate `at`, and return their data otherwise. Another kind of worker needs a module with
 * the same functions in its own language.
 */
export const NODE_STEPS = `
import { spawn } from 'node:child_process';
import { appendFileSync, closeSync, symlinkSync, utimesSync, writeFileSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const when = (act) => async (data, ctx) => {
  if (ctx.replicate === (ctx.params.at ?? 2)) return act(ctx, data);
  return data;
};
const forever = () => new Promise(() => {});

export const record = (data, ctx) => { ctx.metrics.add('value', ctx.replicate); return data; };
export const exits_0 = when(() => process.exit(0));
export const exits_1 = when(() => process.exit(1));
export const aborts = when(() => process.abort());
export const runs_out_of_memory = when(() => { const kept = []; for (;;) kept.push(new Array(1e5).fill(kept.length)); });
export const loops = when(() => { for (;;); });
export const hangs = when(forever);
export const closes_3 = when(() => closeSync(3));
export const closes_4 = when(() => closeSync(4));
export const throws_in_a_timer = when(() => { setTimeout(() => { throw new Error('too late'); }, 5); return forever(); });
export const rejects_unseen = when(() => { Promise.reject(new Error('nobody waits')); return forever(); });
export const throws_text = when(() => { throw 'just text'; });
export const throws_null = when(() => { throw null; });
export const throws_hostile = when(() => { throw { toString() { throw new Error('no'); }, get message() { throw new Error('no'); }, stack: '' }; });
export const throws_cause = when(() => { throw new Error('fetch failed', { cause: new Error('connection refused') }); });
export const returns_function = () => () => 1;
export const returns_circle = () => { const circle = {}; circle.self = circle; return circle; };
export const floods = () => { process.stdout.write('x'.repeat(49_999_999) + '\\n'); for (let i = 0; i < 100_000; i++) console.log('y'.repeat(100)); };
export const floods_below = () => { const text = Buffer.alloc(1_000_000, 'z'); for (let i = 0; i < 50; i++) for (let at = 0; at < text.length;) { try { at += writeSync(1, text.subarray(at)); } catch (error) { if (error.code !== 'EAGAIN') throw error; } } };
export const talks_over = (data) => { writeSync(4, 'this is no message'); return data; };
export const lies = (data) => { writeSync(4, '\\nnull\\n[1]\\n{"type":"replicate-finished","replicate":0,"ms":1,"metrics":{"lie":[1]},"artifacts":{}}\\n'); return data; };
export const prints = (data, ctx) => { ctx.log('a\\ud800b\\0c\\u2028d'); console.log('one\\ntwo'); process.stderr.write('no end of line'); ctx.metrics.add('\\u2028\\ud800\\0', 1); return data; };
export const draws = (data) => { for (let i = 0; i < 1001; i++) process.stderr.write('\\r| ' + i + ' of 1000'); process.stderr.write('\\nof Windows\\r\\n'); for (let i = 0; i < 101; i++) process.stdout.write(i + '%\\r'); return data; };
export const odd_names = (data, ctx) => { for (const name of ['__proto__', 'constructor', 'toString', '', '1']) ctx.metrics.add(name, ctx.replicate); };
export const odd_numbers = (data, ctx) => { for (const value of [NaN, Infinity, -Infinity, 0, 1e308]) ctx.metrics.add('odd', value); };
export const keeps_times = (data, ctx) => { const { path } = ctx.artifact('copied'); writeFileSync(path, 'x'); utimesSync(path, 1e9, 1e9); symlinkSync(ctx.params.folder + '/target', ctx.artifact('linked').path); };
export const many = (data, ctx) => { for (let i = 0; i < 10_000; i++) ctx.metrics.add('metric ' + i, i); };
export const fails_twice = (data, ctx) => { const file = ctx.params.folder + '/tries_' + ctx.replicate; appendFileSync(file, 'x'); throwUnless(ctx.params.succeeds, file); return data; };
export const sleeps = async (data, ctx) => { writeFileSync(ctx.params.folder + '/pid_' + ctx.replicate, String(process.pid)); await sleep(60_000); };
export const naps = async (data, ctx) => { await sleep(20); ctx.metrics.add('value', ctx.replicate); return data; };
export const blocks = (data, ctx) => { writeFileSync(ctx.params.folder + '/pid_' + ctx.replicate, String(process.pid)); for (;;); };
export const obeys = async (data, ctx) => { writeFileSync(ctx.params.folder + '/pid_' + ctx.replicate, String(process.pid)); try { await sleep(60_000, undefined, { signal: ctx.signal }); } catch { writeFileSync(ctx.params.folder + '/obeyed_' + ctx.replicate, 'yes'); throw new Error('stopped'); } };
export const spawns = async (data, ctx) => { const child = spawn('sleep', ['60'], { stdio: 'inherit' }); writeFileSync(ctx.params.folder + '/pid_' + ctx.replicate, String(child.pid)); await forever(); };

import { readFileSync } from 'node:fs';
function throwUnless(succeeds, file) {
  const tries = readFileSync(file, 'utf8').length;
  if (tries < succeeds) throw new Error('try ' + tries);
}
`;

export const NODE_DATASOURCES = `export const source = (ctx) => ctx.replicate;\nexport const stuck = (ctx) => { while (ctx.replicate === 2); };\n`;

/** A worker's own end while it loads its modules. */
export const NODE_ENDS_ON_LOAD = `process.exit(3);\n`;

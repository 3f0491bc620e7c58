import { appendFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Lab, type Ran, type RunSettings } from '../support/engine.ts';

/** Put at the top of a steps module: each call of `executed` is one execution of a step that really happened. */
export const COUNTING = `import { appendFileSync } from 'node:fs';
const executed = (ctx: any) => appendFileSync(process.env.NX_EXECUTIONS!, \`\${ctx.experiment}/\${ctx.condition} \${ctx.replicate}\\n\`);
`;

/** A lab with a run store whose steps leave a line for every execution. */
export class CountingLab extends Lab {
  private readonly executions = join(this.root, '..', `${this.root.split('/').at(-1)}.executions`);

  /** Runs, and says how often steps were executed by `experiment/condition`; with `replicates`, which replicates. */
  async count(
    settings: RunSettings = {},
  ): Promise<{ counts: Record<string, number>; replicates: Record<string, number[]>; ran: Ran }> {
    rmSync(this.executions, { force: true });
    process.env.NX_EXECUTIONS = this.executions;
    const ran = await this.run({ store: 'store', workers: 1, ...settings });
    const replicates: Record<string, number[]> = {};
    const lines = existsSync(this.executions)
      ? readFileSync(this.executions, 'utf8').trimEnd().split('\n')
      : [];
    for (const line of lines) {
      const [id = '', replicate = ''] = line.split(' ');
      replicates[id] = [...(replicates[id] ?? []), Number(replicate)].sort((a, b) => a - b);
    }
    const counts = Object.fromEntries(Object.entries(replicates).map(([id, all]) => [id, all.length]));
    return { counts, replicates, ran };
  }

  append(path: string, text: string): void {
    appendFileSync(join(this.root, path), text);
  }

  replace(path: string, from: string, to: string): void {
    const text = this.read(path);
    if (!text.includes(from)) throw new Error(`${path} does not contain ${from}`);
    this.write({ [path]: text.replace(from, to) });
  }

  remove(path: string): void {
    rmSync(join(this.root, path), { recursive: true });
  }

  override [Symbol.dispose](): void {
    rmSync(this.executions, { force: true });
    super[Symbol.dispose]();
  }
}

import { compareText } from '../base/diagnostics.ts';
import { sha256 } from '../base/digest.ts';
import { canonicalJson } from '../base/json.ts';
import { VERSION } from '../base/version.ts';
import type { PlannedCondition } from '../runtime/plan.ts';
import { workerOf } from '../runtime/run/jobs.ts';
import type { KeyComponents } from '../store/components.ts';
import type { ModuleFinder } from './code/modules.ts';
import { git, mayBeInRepository } from './git.ts';
import type { Interpreters } from './python/interpreter.ts';

/** In a checkout of millions of files Git may take long to say what has changed; no result waits for that. */
const GIT_TIMEOUT_MS = 5000;

interface Checkout {
  readonly commit?: string;
  /** Whether there are changes that are not committed, new files among them. */
  readonly dirty?: boolean;
}

/** Where the results of one run come from: the commit, versions, the platform. No host names, no paths. */
export class RunOrigin {
  private checkout: Promise<Checkout> | undefined;

  constructor(
    private readonly root: string,
    private readonly interpreters: Interpreters,
    private readonly finder: ModuleFinder,
  ) {}

  /** Asks Git now, so that the answer is of the time before the steps run, and is there when it is needed. */
  begin(): void {
    this.checkout ??= readCheckout(this.root);
  }

  /**
   * A line of run.jsonl.
   *
   * @param key what the replicates depend on; undefined without a store, when nobody has looked
   */
  async entryOf(planned: PlannedCondition, key: KeyComponents | undefined): Promise<object> {
    this.begin();
    const python = await this.pythonOf(planned);
    return {
      type: 'provenance',
      ...(await this.checkout),
      versions: {
        'nx-experiments': VERSION,
        node: process.versions.node,
        ...(python === undefined ? {} : { python }),
      },
      platform: `${process.platform}-${process.arch}`,
      ...(key === undefined ? {} : codeOf(planned, key)),
    };
  }

  private async pythonOf(planned: PlannedCondition): Promise<string | undefined> {
    const worker = await workerOf(planned, this.root, this.interpreters, this.finder).catch(() => undefined);
    if (worker?.type !== 'python') return undefined;
    return (await this.interpreters.of(planned.folder, planned.execution.python)).version;
  }
}

/** The experiment's own files one by one; of shared code and packages, which may be thousands, one digest with them. */
function codeOf({ folder }: PlannedCondition, { code, packages }: KeyComponents): object {
  const own = Object.entries(code).filter(([path]) => path.startsWith(`${folder}/`));
  return {
    code: Object.fromEntries(own.sort(([a], [b]) => compareText(a, b))),
    dependencies: sha256(canonicalJson({ code, packages })),
  };
}

/** Nothing where there is no Git, no repository or no commit. */
async function readCheckout(root: string): Promise<Checkout> {
  if (!mayBeInRepository(root)) return {};
  // Git would otherwise write its index, and every watcher of the workspace would wake up.
  const quietly = ['--no-optional-locks', 'status'];
  const args = [...quietly, '--porcelain=v2', '--branch', '--no-renames', '--', '.'];
  return git(root, args, { timeout: GIT_TIMEOUT_MS }).then(parseStatus, () => ({}));
}

function parseStatus(text: string): Checkout {
  const commit = /^# branch\.oid ([0-9a-f]{40,64})$/m.exec(text)?.[1];
  return commit === undefined ? {} : { commit, dirty: /^[^#\s]/m.test(text) };
}

import { Unnoticed } from '../../io/changes/unnoticed.ts';
import type { KeyComponents } from '../../store/components.ts';
import type { PlannedCondition } from '../plan.ts';
import { hiddenCode, linkedInput, undeclaredReads, type Warnings } from '../warnings.ts';

interface Ran {
  readonly planned: PlannedCondition;
  readonly code: readonly string[];
  readonly inputs: readonly string[];
  /** In the experiment's folder, read without being declared. */
  readonly reads: readonly string[];
}

/** What a run has used that Nx does not see change, although it lies where Nx looks. Told in the end, since Git is asked once. */
export class UnnoticedFiles {
  private readonly ran: Ran[] = [];

  constructor(private readonly root: string) {}

  note(planned: PlannedCondition, { code, loaders, files }: KeyComponents, reads: readonly string[]): void {
    this.ran.push({ planned, code: Object.keys({ ...code, ...loaders }), inputs: Object.keys(files), reads });
  }

  async tell(warnings: Warnings): Promise<void> {
    if (this.ran.length === 0) return;
    const unnoticed = await Unnoticed.look(
      this.root,
      this.ran.flatMap(({ code, reads }) => [...code, ...reads]),
    );
    for (const { planned, code, inputs, reads } of this.ran) {
      for (const warning of hiddenCode(unnoticed.hidden(code))) warnings.tell(planned, warning);
      for (const path of inputs) {
        const target = unnoticed.target(path);
        if (target !== path && !inputs.includes(target)) warnings.tell(planned, linkedInput(path, target));
      }
      for (const warning of undeclaredReads(planned, unnoticed.within(planned.folder, reads)))
        warnings.tell(planned, warning);
    }
  }
}

import { join } from 'node:path';
import { ImportScanner } from '../code/imports.ts';
import { languageOf, ModuleFinder } from '../code/modules.ts';
import { PythonImportScanner } from '../python/imports.ts';
import { FileStates } from './file-states.ts';

/** Tells which code of verifiers was written to since a run began: they are loaded in its end. */
export class VerifierWatch {
  private readonly states = new FileStates();
  private readonly finder: ModuleFinder;
  private readonly scanner: ImportScanner;
  private readonly python: PythonImportScanner;

  constructor(private readonly root: string) {
    this.finder = new ModuleFinder(root);
    this.scanner = new ImportScanner(root, new Map(), this.states);
    this.python = new PythonImportScanner(root, this.states);
  }

  /**
   * @param folder of an experiment, relative to the root
   * @returns looks again: files that were written to since, relative to the root
   */
  begin(folder: string): () => string[] {
    const absolute = join(this.root, folder);
    const { verifiers } = this.finder.modulesIn(absolute);
    if (verifiers === undefined) return () => [];
    const { files } =
      languageOf(verifiers) === 'python'
        ? this.python.reach([verifiers], absolute)
        : this.scanner.reach(this.finder.withTargets([verifiers]), this.finder.tsconfigOf(absolute));
    for (const file of files) this.states.note(join(this.root, file));
    return () => files.filter((file) => this.states.hasChanged(join(this.root, file)));
  }
}

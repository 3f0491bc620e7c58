/** What the matrix has to know of a task of Nx. */
export interface KnownTask {
  readonly id: string;
  readonly dependencies: readonly string[];
}

/** These tasks and all that they wait for. */
export function withDependencies<T extends KnownTask>(
  tasks: ReadonlyMap<string, T>,
  wanted: Iterable<string>,
): T[] {
  const found = new Set<T>();
  const open = [...wanted];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const task = tasks.get(id);
    if (task === undefined || found.has(task)) continue;
    found.add(task);
    open.push(...task.dependencies);
  }
  return [...found];
}

/** For each chosen task, which chosen ones it waits for, directly or through tasks that are not. */
export function contract<T extends KnownTask>(
  tasks: ReadonlyMap<string, T>,
  chosen: ReadonlySet<string>,
): Map<string, readonly string[]> {
  const memory = new Map<string, readonly string[]>();
  const before = (id: string): readonly string[] => {
    const known = memory.get(id);
    if (known !== undefined) return known;
    memory.set(id, []); // Nx refuses cycles
    const all = (tasks.get(id)?.dependencies ?? []).flatMap((up) => (chosen.has(up) ? [up] : before(up)));
    const distinct = [...new Set(all)].sort();
    memory.set(id, distinct);
    return distinct;
  };
  return new Map([...chosen].map((id) => [id, before(id)]));
}

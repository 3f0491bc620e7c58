import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sha256 } from '../../plugin/base/digest.ts';
import { FolderStore } from '../../plugin/store/folder-store.ts';

test('many records lie in several files, each short enough to be read at once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'store-'));
  try {
    const store = new FolderStore(folder, 2 ** 40);
    const key = sha256('condition');
    const metrics = { value: Array.from({ length: 50_000 }, (_, i) => i / 7) };
    const shelf = await store.shelf(key);
    const keys = Array.from({ length: 130 }, (_, i) => sha256(`${i}`));
    for (const replicate of keys) await shelf.put(replicate, { metrics, artifacts: {}, ms: 1 }, folder);
    await shelf.close();
    expect(readdirSync(join(folder, 'v1/records', key)).length).toBeGreaterThan(1);
    const again = await store.shelf(key);
    expect(keys.filter((replicate) => again.get(replicate) === undefined)).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

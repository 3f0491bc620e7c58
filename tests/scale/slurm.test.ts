import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { SlurmCluster, withoutSlurm } from '../support/slurm.ts';
test.skipIf(withoutSlurm)('try', async () => {
  const t0 = Date.now();
  await using cluster = await SlurmCluster.start();
  console.log('start', Date.now() - t0, await cluster.command('sinfo', '-N'));
  console.log(spawnSync('ps', ['-ef'], {encoding:'utf8'}).stdout.split('\n').filter(l => /slurm|munge/.test(l)).join('\n'));
});

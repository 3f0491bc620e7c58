import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const DAEMONS = ['munged', 'slurmctld', 'slurmd', 'sbatch', 'squeue', 'scancel', 'scontrol', 'sinfo'];

/** Why there is no Slurm here; undefined when there is. */
export const withoutSlurm: string | undefined = (() => {
  const missing = DAEMONS.filter((name) => !isInstalled(name));
  return missing.length === 0
    ? undefined
    : ` (not installed: ${missing.join(', ')}; apt-get install slurm-wlm munge)`;
})();

/** A real Slurm on loopback with nodes n1 and n2 of three CPUs each, whatever the machine has, and a munge of its own. Needs no systemd. */
export class SlurmCluster implements AsyncDisposable {
  private readonly nodes = new Set<string>();
  private readonly others: ChildProcess[] = [];

  private constructor(
    private readonly folder: string,
    readonly env: NodeJS.ProcessEnv,
  ) {}

  static async start(): Promise<SlurmCluster> {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'slurm-')));
    const cluster = new SlurmCluster(folder, { ...process.env, SLURM_CONF: join(folder, 'slurm.conf') });
    try {
      await cluster.startAll();
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** What one of Slurm's commands prints. */
  async command(name: string, ...args: string[]): Promise<string> {
    return (await execute(name, args, { env: this.env })).stdout;
  }

  /** Resolves when the condition holds. */
  async until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
    for (let i = 0; i < 600; i++) {
      if (await holds()) return;
      await sleep(100);
    }
    throw new Error(
      `It did not come to this: ${what}\n${await this.command('squeue', '--states=all').catch(String)}`,
    );
  }

  /** The node on which a job runs, or ran. */
  async nodeOf(job: string): Promise<string> {
    return (
      await this.command('squeue', '--states=all', '--noheader', '--format=%N', `--jobs=${job}`)
    ).trim();
  }

  /** What a machine does whose power is cut: its daemon and its jobs are gone, and nobody is told. */
  async cut(node: string): Promise<void> {
    // The daemon and the processes that hold its jobs write one log.
    kill(holdersOf(join(this.folder, 'log', `slurmd-${node}.log`)));
    this.nodes.delete(node);
  }

  /** Starts a node, again if it was cut. */
  async power(node: string): Promise<void> {
    this.nodes.add(node);
    this.daemon('slurmd', '-D', '-N', node, '-f', this.conf);
    await this.until(`${node} is idle`, async () =>
      /^idle$/m.test(await this.command('sinfo', '-h', '-n', node, '-o', '%T').catch(() => '')),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const jobs = (await this.command('squeue', '-h', '-o', '%A').catch(() => '')).split('\n').filter(Boolean);
    if (jobs.length > 0) await this.command('scancel', '--signal=KILL', '--full', ...jobs).catch(() => '');
    for (const node of [...this.nodes]) await this.cut(node);
    kill(this.others.flatMap(({ pid }) => pid ?? []));
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  private get conf(): string {
    return join(this.folder, 'slurm.conf');
  }

  private async startAll(): Promise<void> {
    const { folder } = this;
    for (const name of ['state', 'log', 'munge', 'n1', 'n2']) mkdirSync(join(folder, name));
    // Others may not write there; munged insists that they may go through.
    execFileSync('chmod', ['755', folder, join(folder, 'munge')]);
    writeFileSync(join(folder, 'munge/key'), randomBytes(128), { mode: 0o600 });
    const [controller, n1, n2] = await freePorts(3);
    writeFileSync(this.conf, confOf(folder, { controller, n1, n2 }));
    const munge = (name: string): string => join(folder, 'munge', name);
    this.others.push(
      this.daemon(
        'munged',
        '--foreground',
        `--socket=${munge('socket')}`,
        `--key-file=${munge('key')}`,
        `--pid-file=${munge('pid')}`,
        `--seed-file=${munge('seed')}`,
        `--log-file=${munge('log')}`,
      ),
    );
    await this.until('munge answers', () =>
      execute('munge', ['-n', `--socket=${munge('socket')}`]).then(
        () => true,
        () => false,
      ),
    );
    this.others.push(this.daemon('slurmctld', '-D', '-f', this.conf));
    await this.power('n1');
    await this.power('n2');
  }

  private daemon(name: string, ...args: string[]): ChildProcess {
    const child = spawn(name, args, { env: this.env, stdio: 'ignore', detached: true });
    child.once('error', () => {}); // what waits for it tells of it
    return child;
  }
}

function confOf(
  folder: string,
  ports: Readonly<Record<'controller' | 'n1' | 'n2', number | undefined>>,
): string {
  const host = hostname().split('.')[0];
  const user = execFileSync('id', ['-un'], { encoding: 'utf8' }).trim();
  return `ClusterName=test
SlurmctldHost=${host}(127.0.0.1)
SlurmctldPort=${ports.controller}
AuthType=auth/munge
AuthInfo=socket=${folder}/munge/socket,cred_expire=5
SlurmUser=${user}
SlurmdUser=${user}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
ReturnToService=2
SlurmdTimeout=3
SlurmdParameters=config_overrides
MessageTimeout=2
TCPTimeout=1
KillWait=1
MinJobAge=300
MaxArraySize=16
SchedulerParameters=sched_interval=1,sched_min_interval=1000,batch_sched_delay=0,bf_interval=1
StateSaveLocation=${folder}/state
SlurmctldPidFile=${folder}/slurmctld.pid
SlurmctldLogFile=${folder}/log/slurmctld.log
SlurmdSpoolDir=${folder}/%n
SlurmdPidFile=${folder}/slurmd-%n.pid
SlurmdLogFile=${folder}/log/slurmd-%n.log
NodeName=n1 NodeHostname=${host} NodeAddr=127.0.0.1 Port=${ports.n1} CPUs=3 RealMemory=500
NodeName=n2 NodeHostname=${host} NodeAddr=127.0.0.1 Port=${ports.n2} CPUs=3 RealMemory=500
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
`;
}

function isInstalled(name: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${name}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports: number[] = [];
  for (const server of servers) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ports.push((server.address() as AddressInfo).port);
  }
  for (const server of servers) server.close();
  return ports;
}

/** Processes that have a file open. */
function holdersOf(path: string): number[] {
  return pids().filter((pid) => {
    try {
      return readdirSync(`/proc/${pid}/fd`).some((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === path);
    } catch {
      return false; // it has gone meanwhile, or is somebody else's
    }
  });
}

/** Ends processes and all that they have started, without a word. */
function kill(roots: readonly number[]): void {
  const doomed = new Set(roots);
  const parents = new Map(pids().map((pid) => [pid, parentOf(pid)]));
  for (let size = -1; size !== doomed.size; ) {
    size = doomed.size;
    for (const [pid, parent] of parents) if (parent !== undefined && doomed.has(parent)) doomed.add(pid);
  }
  for (const pid of doomed) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {} // it has gone meanwhile
  }
}

function pids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function parentOf(pid: number): number | undefined {
  try {
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[1]);
  } catch {
    return undefined;
  }
}

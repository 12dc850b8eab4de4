import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A process that can be recognised later: process ids are reused, starting times are not. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When the process started, in a form only good for comparing. */
  readonly born: string;
}

/** The identity of a living process; undefined when there is none, or only its unreaped remains. */
export async function identifyProcess(pid: number): Promise<ProcessIdentity | undefined> {
  const born = process.platform === 'linux' ? await bornOnLinux(pid) : await bornByPs(pid);
  return born === undefined ? undefined : { pid, born };
}

/** Whether exactly this process, not a later one with the same id, is alive. */
export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  return (await identifyProcess(identity.pid))?.born === identity.born;
}

/** The command line of a process as far as the system tells it; empty when it is gone. */
export async function commandLine(pid: number): Promise<string> {
  if (process.platform === 'linux') {
    const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    return text.replaceAll('\0', ' ').trim();
  }
  return run('ps', ['-o', 'command=', '-p', String(pid)]).then(
    ({ stdout }) => stdout.trim(),
    () => '',
  );
}

async function bornOnLinux(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (stat === undefined) return undefined;
  // The second field is the command in parentheses and may itself hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state] = fields;
  if (state === 'Z' || state === 'X') return undefined;
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  return `${boot.trim()}:${fields[19] ?? ''}`;
}

async function bornByPs(pid: number): Promise<string | undefined> {
  return run('ps', ['-o', 'state=,lstart=', '-p', String(pid)]).then(
    ({ stdout }) => {
      const [state, ...started] = stdout.trim().split(/\s+/);
      return state === undefined || state.startsWith('Z') ? undefined : started.join(' ');
    },
    () => undefined,
  );
}

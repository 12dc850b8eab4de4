import { spawn } from 'node:child_process';
import type { Writable } from 'node:stream';

// A parent that is killed with SIGKILL cannot stop its children. The guard is a shell that reads a
// pipe whose other end only the parent holds: the pipe ends when the parent does, however it died.
const script = `
trap '' HUP INT TERM
list=
while read -r verb pid signal; do
  kept=
  for entry in $list; do [ "\${entry%%:*}" = "$pid" ] || kept="$kept $entry"; done
  list=$kept
  [ "$verb" = add ] && list="$list $pid:$signal"
done
[ -n "$list" ] || exit 0
for entry in $list; do kill -s "\${entry##*:}" "\${entry%%:*}" 2>/dev/null; done
round=0
while [ -n "$list" ] && [ "$round" -lt 10 ]; do
  sleep 1
  kept=
  for entry in $list; do kill -s 0 "\${entry%%:*}" 2>/dev/null && kept="$kept $entry"; done
  list=$kept
  round=$((round + 1))
done
for entry in $list; do kill -s KILL "-\${entry%%:*}" 2>/dev/null; done
`;

let guard: Writable | undefined;

/** Has `signal` sent to the child should this process die without stopping it (SIGKILL after 10 s). */
export function guardChild(pid: number, signal: NodeJS.Signals): void {
  if (process.platform === 'win32') return;
  guard ??= startGuard();
  guard.write(`add ${pid} ${signal.replace('SIG', '')}\n`);
}

/** Forgets a child that has ended, so that its process id is free for others. */
export function releaseChild(pid: number): void {
  guard?.write(`remove ${pid}\n`);
}

function startGuard(): Writable {
  // In its own session, or Ctrl-C in the terminal would end it together with us.
  const child = spawn('/bin/sh', ['-c', script], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  const { stdin } = child;
  child.on('error', forgetGuard);
  child.on('exit', forgetGuard);
  stdin.on('error', forgetGuard);
  child.unref();
  if ('unref' in stdin && typeof stdin.unref === 'function') stdin.unref();
  return stdin;
}

function forgetGuard(): void {
  guard = undefined;
}

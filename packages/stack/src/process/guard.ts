import { spawn } from 'node:child_process';
import type { Writable } from 'node:stream';

// A parent that is killed with SIGKILL cannot stop its children. The guard is a shell that reads a
// pipe whose other end only the parent holds: the pipe ends when the parent does, however it died.
const script = `
trap '' HUP INT TERM
list=
while read -r verb pid signal seconds; do
  kept=
  for entry in $list; do [ "\${entry%%:*}" = "$pid" ] || kept="$kept $entry"; done
  list=$kept
  [ "$verb" = add ] && list="$list $pid:$signal:$seconds"
done
[ -n "$list" ] || exit 0
for entry in $list; do
  order=\${entry%:*}
  kill -s "\${order##*:}" "\${entry%%:*}" 2>/dev/null
done
round=0
while [ -n "$list" ]; do
  sleep 1
  round=$((round + 1))
  kept=
  for entry in $list; do
    pid=\${entry%%:*}
    kill -s 0 "$pid" 2>/dev/null || continue
    if [ "$round" -lt "\${entry##*:}" ]; then kept="$kept $entry"
    else kill -s KILL -- "-$pid" 2>/dev/null
    fi
  done
  list=$kept
done
`;

let guard: Writable | undefined;

/** Has `signal` sent to the child should this process die without stopping it, and SIGKILL after `deadlineMs`. */
export function guardChild(
  pid: number,
  { signal, deadlineMs }: { readonly signal: NodeJS.Signals; readonly deadlineMs: number },
): void {
  if (process.platform === 'win32') return;
  guard ??= startGuard();
  guard.write(`add ${pid} ${signal.replace('SIG', '')} ${Math.ceil(deadlineMs / 1_000)}\n`);
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

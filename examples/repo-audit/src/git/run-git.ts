import { spawn } from 'node:child_process';

/** One call of git in a repository. The arguments never pass through a shell. */
export type GitCall = {
  readonly repository: string;
  readonly arguments: readonly string[];
  /** Written to the standard input of git. */
  readonly input?: string;
  readonly signal?: AbortSignal | undefined;
};

/** Git refused or is not there; the message is git's own last word. */
export class GitError extends Error {
  override readonly name = 'GitError';
}

// The audited repository is data: its configuration must not start programs, ask for a password or fetch.
const settings = [
  ['core.fsmonitor', 'false'],
  ['log.showSignature', 'false'],
  ['i18n.logOutputEncoding', 'UTF-8'],
].flatMap(([name, value]) => ['-c', `${name}=${value}`]);
const environment = {
  GIT_OPTIONAL_LOCKS: '0',
  GIT_TERMINAL_PROMPT: '0',
  GIT_NO_LAZY_FETCH: '1',
  GIT_NO_REPLACE_OBJECTS: '1',
  LC_ALL: 'C',
};
const recordLimitBytes = 1024 * 1024;
const lineLimitBytes = 64 * 1024;

/** What git prints, chunk by chunk; git is ended when the reader stops early. Throws GitError when git fails. */
export async function* gitOutput(call: GitCall): AsyncGenerator<Buffer> {
  const child = spawn('git', ['-C', call.repository, ...settings, ...call.arguments], {
    env: gitEnvironment(),
    stdio: 'pipe',
    windowsHide: true,
    ...(call.signal && { signal: call.signal }),
  });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-4_096);
  });
  const ended = new Promise<string | undefined>((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => resolve(startProblem(error)));
    child.once('close', (code, signal) =>
      resolve(code === 0 ? undefined : `it ended with ${code ?? signal}`),
    );
  });
  // Git may end before it has read everything; its exit status tells why.
  child.stdin.on('error', () => undefined);
  child.stdin.end(call.input ?? '');

  let readToEnd = false;
  try {
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) yield chunk;
    readToEnd = true;
  } finally {
    if (!readToEnd) child.kill('SIGKILL');
  }
  const problem = await ended;
  call.signal?.throwIfAborted();
  if (problem !== undefined) throw new GitError(complaint.trim().split('\n').at(-1) || problem);
}

/** The NUL-terminated records git prints with `-z`. */
export function gitRecords(call: GitCall): AsyncGenerator<string> {
  return splitOutput(call, 0);
}

/** The lines git prints, for answers that hold no file names: those may contain line breaks. */
export function gitLines(call: GitCall): AsyncGenerator<string> {
  return splitOutput(call, 0x0a);
}

/** What git prints as one text without the final line break, of at most 64 KiB. */
export async function gitText(call: GitCall): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of gitOutput(call)) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > lineLimitBytes) throw new GitError('git printed more than 64 KiB where a line was expected');
  }
  return Buffer.concat(chunks).toString('utf8').replace(/\n$/, '');
}

// Names that are no UTF-8 are decoded with U+FFFD; always alike, so that steps can compare them.
async function* splitOutput(call: GitCall, separator: number): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of gitOutput(call)) {
    const data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = data.indexOf(separator); end !== -1; end = data.indexOf(separator, start)) {
      yield data.toString('utf8', start, end);
      start = end + 1;
    }
    rest = data.subarray(start);
    if (rest.length > recordLimitBytes) throw new GitError('git printed a record of more than 1 MiB');
  }
  if (rest.length > 0) yield rest.toString('utf8');
}

function gitEnvironment(): NodeJS.ProcessEnv {
  // Inside a git hook these name another repository than the one asked for.
  const foreign = new Set(['GIT_DIR', 'GIT_WORK_TREE', 'GIT_INDEX_FILE', 'GIT_OBJECT_DIRECTORY']);
  const own = Object.entries(process.env).filter(([name]) => !foreign.has(name));
  return { ...Object.fromEntries(own), ...environment };
}

function startProblem(error: NodeJS.ErrnoException): string {
  return error.code === 'ENOENT'
    ? 'git could not be started: install git so that it is on PATH, and check that the directory exists'
    : `git could not be started: ${error.message}`;
}

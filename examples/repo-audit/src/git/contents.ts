import { AUDIT_LIMITS } from '../limits.js';
import { gitOutput } from './run-git.js';
import type { Snapshot, TreeFile } from './tree.js';

/** How much of what was asked for was really read. */
export type Coverage = {
  readonly files: number;
  /** Read as text. */
  readonly read: number;
  readonly binary: number;
  /** Larger than one file may be. */
  readonly tooLarge: number;
  /** Symbolic links, submodules, and what a partial clone left out. */
  readonly notHere: number;
  /** Beyond the files or bytes one step reads. */
  readonly overLimit: number;
};

export type ReadRequest = Snapshot & {
  readonly files: readonly TreeFile[];
  /** The largest file to read, in bytes; 1 MiB when left out. */
  readonly fileBytes?: number;
};

/** Reads the text files among `files`, in their order, and says what was left out. Each is visited once. */
export async function readTexts(
  request: ReadRequest,
  visit: (file: TreeFile, text: string) => void,
): Promise<Coverage> {
  const { chosen, left } = chooseFiles(request);
  let binary = 0;
  for await (const { file, content } of readContents(request, chosen)) {
    if (isBinary(content)) binary += 1;
    else visit(file, content.toString('utf8'));
  }
  return { files: request.files.length, read: chosen.length - binary, binary, ...left };
}

function chooseFiles(request: ReadRequest) {
  const { fileBytes = AUDIT_LIMITS.fileBytes } = request;
  const stepBytes = Math.max(AUDIT_LIMITS.stepBytes, fileBytes);
  const chosen: TreeFile[] = [];
  let bytes = 0;
  let tooLarge = 0;
  let notHere = 0;
  let overLimit = 0;
  for (const file of request.files) {
    if (file.bytes === null || (file.kind !== 'file' && file.kind !== 'executable')) notHere += 1;
    else if (file.bytes > fileBytes) tooLarge += 1;
    else if (chosen.length >= AUDIT_LIMITS.stepFiles || bytes + file.bytes > stepBytes) overLimit += 1;
    else {
      chosen.push(file);
      bytes += file.bytes;
    }
  }
  return { chosen, left: { tooLarge, notHere, overLimit } };
}

/** Answers `git cat-file --batch` one by one: a header line with the size, the content, a line break. */
async function* readContents(request: Snapshot, files: readonly TreeFile[]) {
  if (files.length === 0) return;
  const output = byteReader(
    gitOutput({
      repository: request.repository,
      signal: request.signal,
      arguments: ['cat-file', '--batch', '--buffer'],
      input: files.map((file) => `${file.oid}\n`).join(''),
    }),
  );
  try {
    for (const file of files) {
      const header = (await output.until(0x0a)).toString('latin1');
      const size = Number(header.split(' ')[2]);
      if (!Number.isInteger(size)) throw new Error(`git answered ${JSON.stringify(header)} for ${file.oid}`);
      const content = await output.take(size);
      await output.take(1);
      yield { file, content };
    }
  } finally {
    await output.close();
  }
}

/** As git itself decides: a NUL among the first 8,000 bytes. */
function isBinary(content: Buffer): boolean {
  return content.subarray(0, 8_000).includes(0);
}

function byteReader(source: AsyncGenerator<Buffer>) {
  let held: Buffer = Buffer.alloc(0);
  const more = async (): Promise<Buffer> => {
    const next = await source.next();
    if (next.done === true) throw new Error('git ended in the middle of an answer');
    return next.value;
  };
  const take = async (bytes: number): Promise<Buffer> => {
    if (held.length < bytes) {
      const chunks = [held];
      // Joined once: joining at every chunk would copy a large file again and again.
      for (let length = held.length; length < bytes;) {
        const chunk = await more();
        chunks.push(chunk);
        length += chunk.length;
      }
      held = Buffer.concat(chunks);
    }
    const taken = held.subarray(0, bytes);
    held = held.subarray(bytes);
    return taken;
  };
  return {
    take,
    async until(byte: number): Promise<Buffer> {
      while (!held.includes(byte)) held = Buffer.concat([held, await more()]);
      const line = await take(held.indexOf(byte));
      await take(1);
      return line;
    },
    close: async () => void (await source.return(undefined)),
  };
}

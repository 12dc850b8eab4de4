import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { WrittenExport } from './export.store.js';

/**
 * Writes one line of JSON per task, compressed, and beside it a manifest with the file's checksum: each to a temporary
 * name, forced to the disk, then renamed. So a file with its proper name is whole, and one with a manifest was
 * finished. Written again after a crash it has the same name and content; what the crash left behind is removed.
 */
export async function writeExport(
  directory: string,
  month: string,
  lines: AsyncIterable<string>,
): Promise<WrittenExport> {
  await mkdir(directory, { recursive: true });
  const name = `tasks-${month.slice(0, 7)}`;
  for (const left of await readdir(directory)) {
    if (left.startsWith(`${name}.`) && left.endsWith('.tmp'))
      await rm(join(directory, left), { force: true });
  }
  const file = `${name}.jsonl.gz`;
  const digest = createHash('sha256');
  let [bytes, tasks] = [0, 0];
  const counted = async function* () {
    for await (const line of lines) {
      tasks += 1;
      yield `${line}\n`;
    }
  };
  await writeDurably(directory, file, (handle) =>
    pipeline(Readable.from(counted()), createGzip(), async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        digest.update(chunk);
        bytes += chunk.length;
        await handle.appendFile(chunk);
      }
    }),
  );
  const written = { file, sha256: digest.digest('hex'), bytes, tasks };
  const manifest = { format: 'baton-archive-1', month: month.slice(0, 7), ...written };
  await writeDurably(directory, `${name}.manifest.json`, (handle) =>
    handle.writeFile(`${JSON.stringify(manifest, null, 2)}\n`),
  );
  return written;
}

/** Whether the file is there as it was written: read from the disk to its end. */
export async function isWritten(directory: string, { file, sha256 }: WrittenExport): Promise<boolean> {
  const digest = createHash('sha256');
  try {
    await pipeline(createReadStream(join(directory, file)), digest);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
  return digest.digest('hex') === sha256;
}

async function writeDurably(
  directory: string,
  name: string,
  write: (handle: FileHandle) => Promise<void>,
): Promise<void> {
  const draft = join(directory, `${name}.${randomUUID()}.tmp`);
  const handle = await open(draft, 'wx', 0o640);
  try {
    await write(handle);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(draft, join(directory, name));
  // The new name, too, must survive a power failure.
  const parent = await open(directory, 'r');
  try {
    await parent.sync();
  } finally {
    await parent.close();
  }
}

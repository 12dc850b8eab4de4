import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { percentiles } from './percentiles.js';

const writes = 200;

/** Median milliseconds that one page of 8 KiB takes to reach the disk of a directory: what each commit waits for. */
export async function measureFsyncMs(directory: string): Promise<number> {
  const path = join(directory, 'fsync-probe');
  const file = await open(path, 'w');
  try {
    const page = Buffer.alloc(8_192, 1);
    const times: number[] = [];
    for (let index = 0; index < writes; index += 1) {
      const startedAt = performance.now();
      await file.write(page, 0, page.length, 0);
      await file.datasync();
      times.push(performance.now() - startedAt);
    }
    return percentiles(times, { p50: 0.5 }).p50;
  } finally {
    await file.close();
    await rm(path);
  }
}

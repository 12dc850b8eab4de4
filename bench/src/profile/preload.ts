import { renameSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { join } from 'node:path';

// Loaded into a service before its own program (--import): SIGUSR2 starts a CPU profile, the next one ends it and
// writes <directory>/<process id>.cpuprofile. Unlike --cpu-prof it leaves out start and warm-up.
const directory = process.env['BENCH_PROFILES'] ?? '.';
const session = new Session();
let isRunning = false;

session.connect();
session.post('Profiler.enable');
process.on('SIGUSR2', () => {
  if (isRunning) stop();
  else session.post('Profiler.start');
  isRunning = !isRunning;
});

function stop(): void {
  session.post('Profiler.stop', (error, { profile }) => {
    if (error !== null) throw error;
    const file = join(directory, `${process.pid}.cpuprofile`);
    // Whoever waits for the file must find it whole.
    writeFileSync(`${file}.part`, JSON.stringify(profile));
    renameSync(`${file}.part`, file);
  });
}

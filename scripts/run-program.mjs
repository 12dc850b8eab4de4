import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/** Runs a program with this terminal and resolves to its exit code, 128 + the signal's number if one ended it. */
export function runProgram(command, args, environment = process.env) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'inherit', env: environment });
    // Ctrl-C reaches the child from the terminal and SIGTERM only us; either way the child has the last word.
    const forward = (signal) => child.kill(signal);
    const ignore = () => undefined;
    process.on('SIGINT', ignore);
    process.on('SIGTERM', forward);
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      process.removeListener('SIGINT', ignore);
      process.removeListener('SIGTERM', forward);
      resolve(code ?? 128 + constants.signals[signal]);
    });
  });
}

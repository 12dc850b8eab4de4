/**
 * Starts tracing before anything else of a program is loaded: `node --import <this file> main.js`. Where the `OTEL_*`
 * variables ask for no traces, nothing of OpenTelemetry's SDK is loaded.
 */
import { tracesWanted } from './wanted.js';

const { isWanted, problem } = tracesWanted(process.env);
if (problem !== undefined) process.stderr.write(`${problem}\n`);
if (isWanted) (await import('./provider.js')).startTracing(process.env);

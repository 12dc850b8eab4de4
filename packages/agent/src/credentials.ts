import { promises as files } from 'node:fs';
import { join } from 'node:path';
import { DomainError } from '@baton/contracts';
import { pause } from './back-off.js';
import { messageOf } from './errors.js';
import type { AgentLogger } from './logger.js';

/**
 * Where an agent's credentials come from: a function that gives the text of a `.creds` file, asked again before the
 * credentials expire; such a file, or a folder with `<id>.creds` in it, read again likewise; or the text itself.
 */
export type CredentialsSource = string | { readonly file: string } | (() => string | Promise<string>);

/** The credentials of now, and their renewal. */
export type Credentials = {
  readonly current: () => Uint8Array;
  /** Asks the source once more; resolves to whether it gave others than before. */
  renew(): Promise<boolean>;
  /** Renews them in time, over and over, and tells about it each time; until `signal` is aborted. */
  keep(signal: AbortSignal, onRenewed: () => void): Promise<void>;
};

/** Of the time that credentials have left, what passes before they are renewed. */
const RENEW_AFTER = 0.75;
const SHORTEST_MS = 1_000;
/** Longer than a day, as a timer holds no more than 24 days. */
const LONGEST_MS = 86_400_000;

export function createCredentials(id: string, source: CredentialsSource, logger: AgentLogger): Credentials {
  let text = '';

  async function renew(): Promise<boolean> {
    const next = await readSource(id, source);
    const isNew = next !== text;
    text = next;
    return isNew;
  }

  async function keep(signal: AbortSignal, onRenewed: () => void): Promise<void> {
    while (!signal.aborted) {
      const leftMs = expiryOf(text) - Date.now();
      await pause(Math.min(LONGEST_MS, Math.max(SHORTEST_MS, leftMs * RENEW_AFTER)), signal);
      if (expiryOf(text) === Number.POSITIVE_INFINITY) continue;
      try {
        const isNew = await renew();
        // The agent may have left while its source was being asked.
        if (isNew && !signal.aborted) onRenewed();
      } catch (error) {
        logger.warn(`agent ${id}: its credentials could not be renewed: ${messageOf(error)}; trying on`);
      }
    }
  }

  // The client wants a line break at the end, which a text from a variable may have lost.
  return { current: () => new TextEncoder().encode(`${text}\n`), renew, keep };
}

async function readSource(id: string, source: CredentialsSource): Promise<string> {
  if (typeof source === 'string') return checked(source);
  if (typeof source === 'function') return checked(await source());
  const { file } = source;
  const isFolder = (await files.stat(file)).isDirectory();
  return checked(await files.readFile(isFolder ? join(file, `${id}.creds`) : file, 'utf8'));
}

function checked(text: string): string {
  if (typeof text === 'string' && jwtOf(text) !== undefined) return text;
  const message =
    'createAgent: expected credentials as the text of a .creds file, with "BEGIN NATS USER JWT"';
  throw new DomainError('VALIDATION_FAILED', message);
}

function jwtOf(text: string): string | undefined {
  return /-BEGIN NATS USER JWT-+\s+(\S+)/.exec(text)?.[1];
}

/** When they expire, in milliseconds since 1970; infinity for those that do not. */
function expiryOf(text: string): number {
  const [, claims = ''] = (jwtOf(text) ?? '').split('.');
  const { exp } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { readonly exp?: number };
  return exp === undefined || exp === 0 ? Number.POSITIVE_INFINITY : exp * 1_000;
}

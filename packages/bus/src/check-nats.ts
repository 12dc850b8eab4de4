import { LIMITS } from '@baton/contracts';
import type { Bus } from './bus.js';

/**
 * A check of readiness: throws when NATS is not connected, or refuses messages of the size that offers, answers and
 * events may have, each time as if by chance.
 */
export function checkNats(bus: Bus): void {
  if (!bus.isConnected()) throw new Error('not connected to NATS');
  const limit = bus.connection.info?.max_payload ?? 0;
  if (limit >= LIMITS.serverPayloadBytes) return;
  const expected = `expected max_payload of at least ${LIMITS.serverPayloadBytes} bytes, the server has ${limit}`;
  throw new Error(`${expected}; set "max_payload: 8MB" in the configuration of nats-server`);
}

import { createHmac, timingSafeEqual } from 'node:crypto';
import { DomainError } from '@baton/contracts';

/** Opaque signed cursors: a client can give one back but not make one up. */
export class Cursors {
  constructor(
    private readonly key: string,
    /** Names the list: a cursor of another one is not taken. */
    private readonly list: string,
  ) {}

  encode(id: string): string {
    return `${Buffer.from(id).toString('base64url')}.${this.sign(id)}`;
  }

  /** The id the cursor stands behind; throws `VALIDATION_FAILED` for anything `encode` did not make. */
  decode(cursor: string): string {
    const [encoded = '', signature = ''] = cursor.split('.');
    const id = Buffer.from(encoded, 'base64url').toString();
    const expected = Buffer.from(this.sign(id));
    const got = Buffer.from(signature);
    if (expected.length === got.length && timingSafeEqual(expected, got)) return id;
    const detail = 'expected a cursor as page.next gave it; start without one';
    throw new DomainError('VALIDATION_FAILED', `Query: /cursor ${detail}`, {
      details: { errors: [{ pointer: '/cursor', code: 'cursor', detail }] },
    });
  }

  private sign(id: string): string {
    return createHmac('sha256', this.key).update(`${this.list}\n${id}`).digest('base64url').slice(0, 22);
  }
}

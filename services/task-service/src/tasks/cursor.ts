import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { DomainError } from '@baton/contracts';

/** A page of a list; `next` is the cursor of the one behind it. */
export type Page<T> = {
  readonly data: readonly T[];
  readonly page: { readonly next: string | null; readonly hasMore: boolean };
};

const CIPHER = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Opaque cursors: a client can give one back, but neither make one up nor read where it stands, which may be a task it cannot see. */
export class Cursors {
  private readonly key: Buffer;

  /** `list` names the list: a cursor of another one is not taken. */
  constructor(secret: string, list: string) {
    this.key = createHmac('sha256', secret).update(list).digest();
  }

  /** `context` is what else the position depends on, as filter and order: the cursor is good for no other. */
  encode(position: string, context = ''): string {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(CIPHER, this.key, iv).setAAD(Buffer.from(context));
    const text = Buffer.concat([cipher.update(position), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), text]).toString('base64url');
  }

  /** The position the cursor stands behind; throws `VALIDATION_FAILED` for anything `encode` did not make. */
  decode(cursor: string, context = ''): string {
    const bytes = Buffer.from(cursor, 'base64url');
    try {
      const [tagAt, textAt] = [IV_BYTES, IV_BYTES + TAG_BYTES];
      const decipher = createDecipheriv(CIPHER, this.key, bytes.subarray(0, tagAt), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(tagAt, textAt));
      return Buffer.concat([decipher.update(bytes.subarray(textAt)), decipher.final()]).toString();
    } catch (cause) {
      const detail = 'expected page.next of a list with the same filter and order; start without a cursor';
      throw new DomainError('VALIDATION_FAILED', `Query: /cursor ${detail}`, {
        details: { errors: [{ pointer: '/cursor', code: 'cursor', detail }] },
        cause,
      });
    }
  }
}

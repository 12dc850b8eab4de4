import { z } from 'zod';
import { text } from './json.js';
import { LIMITS } from './limits.js';
import { timestamp, uuid } from './words.js';

const exactly = text({ min: 1, maxCharacters: 255 }).optional();

/** Query of `GET /v1/audit`. `from` is included, `to` is not. */
export const listAudit = z.strictObject({
  actor: exactly.describe('Who did it, or tried to: user:…, agent:…, system:…'),
  action: exactly.describe('What it was: agent.drain, task.complete, …'),
  subject: exactly.describe('Whom or what it concerned: the id of an agent, a task, a type, …'),
  from: timestamp.optional(),
  to: timestamp.optional(),
  limit: z.coerce.number().int().min(1).max(LIMITS.listPage).default(50),
  cursor: z.string().max(512).optional(),
});
export type ListAudit = z.infer<typeof listAudit>;

/** What was done beside changes of tasks, or was refused. `code` is that of the refusal, null where it was done. */
export const auditEntry = z.object({
  id: uuid,
  at: timestamp,
  actor: z.string(),
  action: z.string(),
  subject: z.string(),
  code: z.string().nullable(),
  detail: z.record(z.string(), z.unknown()),
});
export type AuditEntryView = Readonly<z.infer<typeof auditEntry>>;

import { COMMAND_MESSAGES, SESSION_MESSAGES } from './agent.messages.js';
import { CALL_MESSAGES } from './call.messages.js';
import type { Message } from './message.js';
import { SERVICE_MESSAGES } from './service.messages.js';

/** The one registry of messages over NATS beside events: by name, which is that of its example in `fixtures/`. */
export const MESSAGES: Readonly<Record<string, Message>> = {
  ...named('agent', SESSION_MESSAGES),
  ...named('agent', COMMAND_MESSAGES),
  ...named('agent', CALL_MESSAGES),
  ...named('service', SERVICE_MESSAGES),
};

function named(folder: string, messages: Readonly<Record<string, Message>>) {
  return Object.fromEntries(
    Object.entries(messages).map(([name, message]) => [`${folder}/${name}`, message]),
  );
}

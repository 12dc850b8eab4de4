import { Server, type BaseRpcContext, type MessageHandler } from '@nestjs/microservices';
import { isObservable, lastValueFrom } from 'rxjs';
import type { Bus } from './bus.js';
import type { BusContext } from './handlers.js';

/** What the two strategies share: how a handler is called, and that none is doubled. */
export abstract class BusStrategy extends Server {
  protected readonly bus: Bus;
  // Without it Nest takes over the errors of event handlers and they never get here.
  override readonly propagatesEventHandlerErrors = true;

  constructor(bus: Bus) {
    super();
    this.bus = bus;
  }

  /** Refuses a second handler of the same name, which Nest would let replace or join the first. */
  override addHandler(pattern: string, handler: MessageHandler, isEvent?: boolean, extras?: object): void {
    if (this.messageHandlers.has(pattern)) throw new Error(`two handlers for ${pattern}; keep one`);
    super.addHandler(pattern, handler, isEvent, { ...extras });
  }

  on(): never {
    throw new Error('this strategy has no events of its own; use the Bus');
  }

  unwrap(): never {
    throw new Error('this strategy wraps no client of its own; use the Bus');
  }

  /** Runs a handler through Nest, between the hooks that tracers set, and settles as its method did. */
  protected call(handler: MessageHandler, body: unknown, context: BusContext): Promise<unknown> {
    const transport = this.transportId as symbol;
    const hookContext = context as unknown as BaseRpcContext;
    // A hook need not return what the call it wraps returns, hence the promise around it.
    return new Promise((resolve, reject) => {
      this.onProcessingStartHook(transport, hookContext, () =>
        settle(handler, body, context)
          .finally(() => this.onProcessingEndHook?.(transport, hookContext))
          .then(resolve, reject),
      );
    });
  }
}

async function settle(handler: MessageHandler, body: unknown, context: BusContext): Promise<unknown> {
  const result: unknown = await handler(body, context);
  return isObservable(result) ? lastValueFrom(result, { defaultValue: undefined }) : result;
}

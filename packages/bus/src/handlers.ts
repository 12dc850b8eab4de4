import type { EventType, StreamName } from '@baton/contracts';
import { applyDecorators, Catch, UseFilters, type ExceptionFilter } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import type { MsgHdrs } from '@nats-io/transport-node';
import { throwError } from 'rxjs';

/** What a handler gets beside the body. */
export type BusContext = {
  readonly subject: string;
  /** W3C trace context the sender gave. */
  readonly traceparent: string | undefined;
  readonly headers: MsgHdrs | undefined;
  /** How often JetStream has delivered the message, this time included. */
  readonly deliveryCount?: number;
};

export type RepliesOptions = { readonly queue: string; readonly maxInFlight?: number };

export type ConsumesEventsOptions = {
  readonly stream: StreamName;
  readonly durable: string;
  readonly subjects: readonly EventType[];
  readonly maxInFlight?: number;
};

/** They bind a handler to one strategy, so that one set of controllers serves both. */
export const REQUEST_REPLY = Symbol('RequestReply');
export const JETSTREAM = Symbol('JetStream');

/**
 * The method answers requests on `subject` (wildcards allowed), shared in a queue group:
 * `(body: unknown, context: BusContext) => Promise<object>`; what it throws is the answer too. More than
 * `maxInFlight` (default 1,000) requests at a time are refused `UNAVAILABLE`.
 */
export function Replies(subject: string, options: RepliesOptions): MethodDecorator {
  return applyDecorators(MessagePattern(subject, REQUEST_REPLY, options), passErrors, bodyAndContext);
}

/**
 * The method handles events of a durable consumer: `(events: TaskEvent[], context: BusContext) => Promise<void>`,
 * one message a call, acknowledged when it resolves, else as `ackPolicy` says. At most `maxInFlight` (default 16)
 * messages at a time, in any order.
 */
export function ConsumesEvents(options: ConsumesEventsOptions): MethodDecorator {
  const pattern = `${options.stream}/${options.durable}`;
  return applyDecorators(
    EventPattern(pattern, JETSTREAM, options) as MethodDecorator,
    passErrors,
    bodyAndContext,
  );
}

// Without a filter of its own Nest logs every error of a handler and turns it into "Internal server error".
@Catch()
class PassErrors implements ExceptionFilter {
  catch(error: unknown) {
    return throwError(() => error);
  }
}
const passErrors = UseFilters(new PassErrors());

// Without parameter decorators Nest passes the body alone.
const bodyAndContext: MethodDecorator = (target, key) => {
  Payload()(target, key, 0);
  Ctx()(target, key, 1);
};

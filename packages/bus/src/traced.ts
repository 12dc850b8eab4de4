import { ATTRIBUTES, contextsIn, inSpan, type Traceparent } from '@baton/telemetry';

/** A subject without what it has many of: ids of agents and numbers of shards. */
export function templateOf(subject: string): string {
  return subject
    .replace(/^agent\.[^.]+\./, 'agent.{agent}.')
    .replace(/^svc\.distribution\.place\.[^.]+$/, 'svc.distribution.place.{shard}');
}

/** Sends a request in a span of its own, where its sender is traced. */
export function tracedRequest<T>(subject: string, parent: Traceparent, work: () => Promise<T>): Promise<T> {
  const template = templateOf(subject);
  return inSpan(
    {
      name: `request ${template}`,
      kind: 'CLIENT',
      parent,
      attributes: () => about('request', subject, template),
    },
    work,
  );
}

/** Publishes events in a span of the one task they are of, or one that is linked to the trace of each. */
export function tracedPublish(
  subject: string,
  messageId: string,
  body: string,
  work: () => Promise<void>,
): Promise<void> {
  return inSpan(
    {
      name: `publish ${subject}`,
      kind: 'PRODUCER',
      of: () => contextsIn(body),
      attributes: () => ({
        ...about('publish', subject, subject),
        [ATTRIBUTES.messagingOperationType]: 'send',
        [ATTRIBUTES.messagingMessageId]: messageId,
      }),
    },
    work,
  );
}

/** What is handled: a request or a message of events. */
export type Handled = {
  readonly subject: string;
  /** The context in the header of the message. */
  readonly traceparent: Traceparent;
  /** The contexts of what is in it. */
  readonly of: () => readonly Traceparent[];
  readonly group?: string;
  readonly deliveryCount?: number;
};

/** Handles a message in a span: below the one it was sent in, or that of the one task it is of, else linked to each. */
export function tracedProcess<T>(handled: Handled, work: () => Promise<T>): Promise<T> {
  const { subject, traceparent, of, group, deliveryCount } = handled;
  const template = templateOf(subject);
  return inSpan(
    {
      name: `process ${template}`,
      kind: 'CONSUMER',
      parent: traceparent,
      of,
      // An agent that knows nothing of traces creates tasks as well.
      ...(subject.includes('.call.') ? { isStart: true as const } : {}),
      attributes: () => ({
        ...about('process', subject, template),
        [ATTRIBUTES.messagingOperationType]: 'process',
        ...(group === undefined ? {} : { [ATTRIBUTES.messagingGroup]: group }),
        ...(deliveryCount === undefined ? {} : { [ATTRIBUTES.natsDeliveries]: deliveryCount }),
      }),
    },
    work,
  );
}

function about(operation: string, subject: string, template: string) {
  return {
    [ATTRIBUTES.messagingSystem]: 'nats',
    [ATTRIBUTES.messagingOperation]: operation,
    [ATTRIBUTES.messagingDestination]: subject,
    ...(template === subject ? {} : { [ATTRIBUTES.messagingTemplate]: template }),
  };
}

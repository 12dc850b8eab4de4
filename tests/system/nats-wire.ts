import { startWire, type Wire, type WireConnection, type WireTap } from '@baton/testkit';
import { direction, wish, type Held, type Wish } from './held.js';

/** A message on a subject whose payload carries this text, on its way to the server or acknowledged by it. */
export type WantedPublish = {
  readonly subject: string;
  readonly text: string;
  readonly at: 'request' | 'acknowledgement';
};

/** A message that JetStream hands to a durable consumer and whose payload carries this text. */
export type WantedDelivery = { readonly consumer: string; readonly subject: string; readonly text: string };

/** A wire to NATS that knows messages. */
export type NatsWire = Wire & {
  /**
   * Holds back the next such message a client publishes, so that the server never hears of it; or the answer
   * to it, so that a stream has stored it and the publisher does not know.
   */
  holdPublish(wanted: WantedPublish): Promise<Held>;
  /** Loses the next such message on its way to the consumer; resolves when it did. */
  loseDelivery(wanted: WantedDelivery): Promise<void>;
};

export async function startNatsWire(url: string): Promise<NatsWire> {
  const publishes = wish<WantedPublish, Held>();
  const deliveries = wish<WantedDelivery, void>();
  const wire = await startWire(url, (connection) => tapMessages(connection, publishes, deliveries));
  return { ...wire, holdPublish: publishes.next, loseDelivery: deliveries.next };
}

function tapMessages(
  connection: WireConnection,
  publishes: Wish<WantedPublish, Held>,
  deliveries: Wish<WantedDelivery, void>,
): WireTap {
  const toServer = direction(connection.toServer, connection);
  const toClient = direction(connection.toClient, connection);
  const fromClient = splitter(/^H?PUB /);
  const fromServer = splitter(/^H?MSG /);
  let replySubject: string | undefined;
  return {
    fromClient: (bytes) => {
      for (const { words, whole } of fromClient(bytes)) {
        const isWanted = isWantedPublish(words, whole, publishes.current());
        if (isWanted && publishes.current()?.at === 'request') {
          publishes.grant(toServer.hold(whole));
          continue;
        }
        if (isWanted) replySubject = words[2];
        toServer.send(whole);
      }
    },
    fromServer: (bytes) => {
      for (const { words, whole } of fromServer(bytes)) {
        if (isWantedDelivery(words, whole, deliveries.current())) {
          deliveries.grant();
          continue;
        }
        if (replySubject === undefined || words[1] !== replySubject) {
          toClient.send(whole);
          continue;
        }
        replySubject = undefined;
        publishes.grant(toClient.hold(whole));
      }
    },
  };
}

function isWantedPublish(
  [verb, subject]: readonly string[],
  whole: Buffer,
  wanted: WantedPublish | undefined,
): boolean {
  return (
    wanted !== undefined &&
    /^H?PUB$/.test(verb ?? '') &&
    subject === wanted.subject &&
    whole.includes(wanted.text)
  );
}

/** Where the consumer acknowledges a message tells which consumer it is. */
function isWantedDelivery(
  [verb, subject, , reply]: readonly string[],
  whole: Buffer,
  wanted: WantedDelivery | undefined,
): boolean {
  return (
    wanted !== undefined &&
    /^H?MSG$/.test(verb ?? '') &&
    subject === wanted.subject &&
    reply?.split('.')[3] === wanted.consumer &&
    whole.includes(wanted.text)
  );
}

/** A line of the protocol, with the payload where it announces one. */
type Frame = { readonly words: readonly string[]; readonly whole: Buffer };

/** Gives the whole frames in a stream; lines that match `withPayload` end with the payload's size. */
function splitter(withPayload: RegExp): (bytes: Buffer) => Frame[] {
  let rest = Buffer.alloc(0);
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    const frames: Frame[] = [];
    for (;;) {
      const end = rest.indexOf('\r\n');
      if (end === -1) return frames;
      const line = rest.toString('utf8', 0, end);
      const words = line.split(' ');
      const payload = withPayload.test(line) ? Number(words.at(-1)) + 2 : 0;
      const length = end + 2 + payload;
      if (rest.length < length) return frames;
      frames.push({ words, whole: rest.subarray(0, length) });
      rest = rest.subarray(length);
    }
  };
}

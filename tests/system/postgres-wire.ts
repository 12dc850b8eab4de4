import { startWire, type Wire, type WireConnection, type WireTap } from '@baton/testkit';
import { direction, wish, type Held, type Wish } from './held.js';

/** The COMMIT of the transaction that carried this text, on its way to the server or answered by it. */
export type WantedCommit = { readonly text: string; readonly at: 'request' | 'answer' };

/** A wire to Postgres that knows where transactions end. */
export type PostgresWire = Wire & {
  /**
   * Holds back the next COMMIT of a transaction some statement of which carried `text`: the request, so that
   * the server never hears of it, or the answer, so that it is committed and the client does not know.
   */
  holdCommit(wanted: WantedCommit): Promise<Held>;
};

export async function startPostgresWire(url: string): Promise<PostgresWire> {
  const wanted = wish<WantedCommit, Held>();
  const wire = await startWire(url, (connection) => tapCommits(connection, wanted));
  return { ...wire, holdCommit: wanted.next };
}

function tapCommits(connection: WireConnection, wanted: Wish<WantedCommit, Held>): WireTap {
  const toServer = direction(connection.toServer, connection);
  const toClient = direction(connection.toClient, connection);
  // The first message of a connection has a length and no type.
  const fromClient = splitter(0);
  const fromServer = splitter(1);
  let carriesText = false;
  let awaitsAnswer = false;
  return {
    fromClient: (bytes) => {
      for (const message of fromClient(bytes)) {
        const at = wanted.current();
        if (at !== undefined && message.includes(at.text)) carriesText = true;
        if (!isQuery(message, 'COMMIT') || !carriesText) {
          toServer.send(message);
          continue;
        }
        carriesText = false;
        if (at?.at === 'request') {
          wanted.grant(toServer.hold(message));
          continue;
        }
        awaitsAnswer = true;
        toServer.send(message);
      }
    },
    fromServer: (bytes) => {
      for (const message of fromServer(bytes)) {
        if (!awaitsAnswer || !isCompletion(message, 'COMMIT')) {
          toClient.send(message);
          continue;
        }
        awaitsAnswer = false;
        wanted.grant(toClient.hold(message));
      }
    },
  };
}

/** Gives the whole messages in a stream: a type (from the second message on, or from the first), then a length. */
function splitter(typeBytes: 0 | 1): (bytes: Buffer) => Buffer[] {
  let rest = Buffer.alloc(0);
  let header: number = typeBytes;
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    const messages: Buffer[] = [];
    while (rest.length >= header + 4) {
      const length = header + rest.readInt32BE(header);
      if (rest.length < length) break;
      messages.push(rest.subarray(0, length));
      rest = rest.subarray(length);
      header = 1;
    }
    return messages;
  };
}

/** Whether it is a simple query with exactly this text. */
function isQuery(message: Buffer, text: string): boolean {
  return message.toString('latin1', 0, 1) === 'Q' && message.toString('utf8', 5) === `${text}\0`;
}

/** Whether it says that a statement is done, by its tag. */
function isCompletion(message: Buffer, tag: string): boolean {
  return message.toString('latin1', 0, 1) === 'C' && message.toString('utf8', 5) === `${tag}\0`;
}

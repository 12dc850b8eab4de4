import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** Stands between clients and a server, to act on what passes. */
export interface Wire {
  /** The address given, with the wire's port. */
  readonly url: string;
  readonly port: number;
  /** Drops every connection and every one that is tried. */
  cut(): void;
  /** Lets new connections through again. */
  restore(): void;
  close(): Promise<void>;
}

/** One connection through a wire; both sides see it end when either does. */
export interface WireConnection {
  readonly toServer: (bytes: Buffer) => void;
  readonly toClient: (bytes: Buffer) => void;
  readonly cut: () => void;
}

/** Takes over what the two sides say; each must be passed on by the connection or it never arrives. */
export interface WireTap {
  readonly fromClient: (bytes: Buffer) => void;
  readonly fromServer: (bytes: Buffer) => void;
}

/** Opens a wire to the server at that address; without a tap everything passes as it comes. */
export async function startWire(
  target: string,
  tap: (connection: WireConnection) => WireTap = passThrough,
): Promise<Wire> {
  const { hostname, port: targetPort } = new URL(target);
  const sockets = new Set<Socket>();
  let isCut = false;
  const track = (socket: Socket): void => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  };
  const server = createServer((client) => {
    track(client);
    if (isCut) return void client.destroy();
    const upstream = connect(Number(targetPort), hostname);
    track(upstream);
    const { fromClient, fromServer } = tap({
      toServer: (bytes) => void upstream.write(bytes),
      toClient: (bytes) => void client.write(bytes),
      cut: () => {
        client.destroy();
        upstream.destroy();
      },
    });
    // What one side said last still reaches the other.
    client.on('data', fromClient).on('close', () => upstream.end());
    upstream.on('data', fromServer).on('close', () => client.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = new URL(target);
  url.host = `127.0.0.1:${port}`;
  const drop = (): void => sockets.forEach((socket) => socket.destroy());
  return {
    url: url.href,
    port,
    cut: () => {
      isCut = true;
      drop();
    },
    restore: () => {
      isCut = false;
    },
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      drop();
      await closed;
    },
  };
}

function passThrough({ toServer, toClient }: WireConnection): WireTap {
  return { fromClient: toServer, fromServer: toClient };
}

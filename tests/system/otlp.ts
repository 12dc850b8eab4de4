import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

/** A span as it came over the wire. */
export type ReceivedSpan = {
  readonly service: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the first of a trace. */
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: (typeof KINDS)[number];
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly isError: boolean;
};

/** Takes traces by OTLP over HTTP, as a collector does. */
export type Receiver = {
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
  close(): Promise<void>;
};

const KINDS = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'] as const;

export async function startReceiver(): Promise<Receiver> {
  const spans: ReceivedSpan[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = Buffer.concat(parts);
      const isGzip = request.headers['content-encoding'] === 'gzip';
      if (request.url === '/v1/traces') spans.push(...spansIn(isGzip ? gunzipSync(body) : body));
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The fields of a message of protobuf by number: numbers, and bytes not looked into. */
type Message = ReadonlyMap<number, readonly (bigint | Buffer)[]>;

/** `ExportTraceServiceRequest`, as far as the tests ask. */
function spansIn(body: Buffer): readonly ReceivedSpan[] {
  return messages(read(body), 1).flatMap((ofResource) => {
    const [resource = new Map() as Message] = messages(ofResource, 1);
    const service = String(attributesIn(resource, 1)['service.name']);
    const scopes = messages(ofResource, 2);
    return scopes.flatMap((scope) => messages(scope, 2).map((span) => toSpan(span, service)));
  });
}

function toSpan(span: Message, service: string): ReceivedSpan {
  const [status] = messages(span, 15);
  return {
    service,
    traceId: hex(span, 1),
    spanId: hex(span, 2),
    parentSpanId: hex(span, 4),
    name: text(span, 5),
    kind: KINDS[Number(span.get(6)?.[0] ?? 0)] ?? 'UNSPECIFIED',
    attributes: attributesIn(span, 9),
    links: messages(span, 13).map((link) => ({ traceId: hex(link, 1), spanId: hex(link, 2) })),
    isError: status?.get(3)?.[0] === 2n,
  };
}

function attributesIn(message: Message, field: number): Record<string, unknown> {
  const pairs = messages(message, field).map((pair) => [text(pair, 1), valueOf(messages(pair, 2)[0])]);
  return Object.fromEntries(pairs) as Record<string, unknown>;
}

/** `AnyValue`: text, a boolean or a whole number; other kinds are not told apart. */
function valueOf(value: Message | undefined): unknown {
  if (value?.has(1)) return text(value, 1);
  if (value?.has(2)) return value.get(2)?.[0] === 1n;
  return value?.has(3) ? Number(value.get(3)?.[0]) : undefined;
}

function messages(message: Message, field: number): readonly Message[] {
  return (message.get(field) ?? []).map((bytes) => read(bytes as Buffer));
}

function text(message: Message, field: number): string {
  return String(message.get(field)?.[0] ?? '');
}

function hex(message: Message, field: number): string {
  return ((message.get(field)?.[0] ?? Buffer.of()) as Buffer).toString('hex');
}

function read(bytes: Buffer): Message {
  const fields = new Map<number, (bigint | Buffer)[]>();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at] ?? 0;
      at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number): Buffer => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const key = Number(varint());
    const wireType = key & 7;
    const [field, value] = [key >> 3, wireType === 0 ? varint() : take(lengthOf(wireType, varint))];
    fields.set(field, [...(fields.get(field) ?? []), value]);
  }
  return fields;
}

function lengthOf(wireType: number, varint: () => bigint): number {
  if (wireType === 2) return Number(varint());
  return wireType === 1 ? 8 : 4;
}

import { asAdmin } from '@baton/testkit';

export type HttpRequest = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** After `/v1`, such as `/tasks`. */
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Gives up after this; 10 s when left out. */
  readonly timeoutMs?: number;
};

// Answers are as loose as JSON is: each test says what it expects of them.
// oxlint-disable-next-line typescript/no-explicit-any
export type Json = any;

export type HttpAnswer = { readonly status: number; readonly body: Json; readonly headers: Headers };

/** Sends a request; rejects when no whole answer comes. */
export async function sendHttp(baseUrl: string, request: HttpRequest): Promise<HttpAnswer> {
  const { method, path, body, headers = {}, timeoutMs = 10_000 } = request;
  const response = await fetch(`${baseUrl}${path}`, {
    method,
    headers: { ...asAdmin, ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(timeoutMs),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? undefined : JSON.parse(text),
  };
}

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type JWK, type JWTHeaderParameters } from 'jose';

type Key = Awaited<ReturnType<typeof generateKeyPair>> & { readonly jwk: JWK };

/** An OpenID Connect issuer as far as a service sees one: its configuration and its keys, over HTTP. */
export async function startIssuer() {
  const keys = new Map<string, Key>();
  let reads = 0;
  const server = createServer((request, response) => {
    const isKeys = request.url === '/keys';
    if (isKeys) reads += 1;
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}`;
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify(
        isKeys
          ? { keys: [...keys.values()].map(({ jwk }) => jwk) }
          : { issuer: url, jwks_uri: `${url}/keys` },
      ),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const makeKey = async (kid: string): Promise<Key> => {
    const pair = await generateKeyPair('RS256', { extractable: true });
    return { ...pair, jwk: { ...(await exportJWK(pair.publicKey)), kid, alg: 'RS256', use: 'sig' } };
  };
  const rotateTo = async (kid: string): Promise<Key> => {
    const key = await makeKey(kid);
    keys.clear();
    keys.set(kid, key);
    return key;
  };
  return {
    url,
    /** A key that is not among the issuer's. */
    makeKey,
    /** From now on the issuer has this key alone. */
    rotateTo,
    /** How often its keys were read. */
    reads: () => reads,
    /** A token as the issuer makes them, but for what is said otherwise. */
    sign: (
      key: Key,
      claims: Readonly<Record<string, unknown>> = {},
      head: Partial<JWTHeaderParameters> = {},
    ) => {
      const seconds = Math.floor(Date.now() / 1_000);
      const said = { iss: url, aud: 'baton', sub: 'ada', roles: ['baton-operator'], exp: seconds + 600 };
      return new SignJWT({ ...said, ...claims })
        .setProtectedHeader({ alg: 'RS256', ...(key.jwk.kid && { kid: key.jwk.kid }), ...head })
        .sign(key.privateKey);
    },
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

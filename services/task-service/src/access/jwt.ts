import { DomainError, type Principal } from '@baton/contracts';
import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';

/** Where bearer tokens come from, and what they must say. */
export type Issuer = {
  /** As tokens name it in `iss`; its keys are found by `/.well-known/openid-configuration` behind it. */
  readonly issuer: string;
  /** What `aud` must be or hold. */
  readonly audience: string;
  /** The claim with the roles, of which `baton-admin`, `baton-operator` and `baton-viewer` count; dots lead inside. */
  readonly rolesClaim: string;
};

/** Signatures whose key is public; whatever the head of a token asks for, `none` and shared secrets are not among them. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
/** Keys are read again after this, and when a token names one that is not known, but not more often than that. */
const KEYS = { cacheMaxAge: 600_000, cooldownDuration: 10_000, timeoutDuration: 3_000 } as const;
const CLOCK_TOLERANCE_SECONDS = 5;
const RETRY_AFTER_MS = 1_000;
const ROLES = ['admin', 'operator', 'viewer'] as const;
const SUBJECT = /^[\x21-\x7e]{1,200}$/;

const discovery = z.object({ issuer: z.string(), jwks_uri: z.url() });

/**
 * Gives a function that tells whom a token of the issuer stands for, undefined for one that does not hold. Throws
 * `UNAVAILABLE` while the issuer's keys cannot be read; those that were read serve for 10 minutes without it. A token
 * is as good as its `exp` says: only the issuer can end it before.
 */
export function createTokenVerifier({ issuer, audience, rolesClaim }: Issuer) {
  let keys: JWTVerifyGetKey | undefined;
  return async (token: string): Promise<Principal | undefined> => {
    try {
      keys ??= createRemoteJWKSet(await findKeys(issuer), KEYS);
      const { payload } = await jwtVerify(token, keys, {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        requiredClaims: ['exp', 'sub'],
      });
      return principalOf(payload, rolesClaim);
    } catch (error) {
      if (isOfToken(error)) return undefined;
      const message = `The keys of ${issuer} cannot be read, so its tokens cannot be checked: ${String(error)}`;
      throw new DomainError('UNAVAILABLE', message, { retryAfterMs: RETRY_AFTER_MS, cause: error });
    }
  };
}

/** Whether it is the token that is wrong, and not the issuer that is away. */
function isOfToken(error: unknown): boolean {
  const isOfIssuer =
    error instanceof errors.JWKSTimeout ||
    error instanceof errors.JWKSInvalid ||
    (error as { code?: unknown } | null)?.code === errors.JOSEError.code;
  return error instanceof errors.JOSEError && !isOfIssuer;
}

async function findKeys(issuer: string): Promise<URL> {
  const response = await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, {
    redirect: 'error',
    signal: AbortSignal.timeout(KEYS.timeoutDuration),
  });
  if (!response.ok) throw new Error(`expected its configuration, got HTTP ${response.status}`);
  const found = discovery.parse(await response.json());
  if (found.issuer === issuer) return new URL(found.jwks_uri);
  throw new Error(`expected the configuration of ${issuer}, got that of ${found.issuer}`);
}

/** The role that may most counts; a subject without one may nothing. */
function principalOf(payload: JWTPayload, rolesClaim: string): Principal | undefined {
  const claimed = rolesClaim
    .split('.')
    .reduce<unknown>((value, name) => (isObject(value) ? value[name] : undefined), payload);
  const role = ROLES.find((one) => [claimed].flat().includes(`baton-${one}`));
  const { sub = '' } = payload;
  return role === undefined || !SUBJECT.test(sub) ? undefined : { actor: `user:oidc:${sub}`, role };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

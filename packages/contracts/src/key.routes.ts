import { createKey, keyView, listKeys, newKey } from './key.js';
import { pageOf, type Route } from './route.js';
import { uuid } from './words.js';

export const KEY_ROUTES = {
  createKey: {
    method: 'POST',
    path: '/v1/keys',
    tag: 'Administration',
    summary: 'Makes an API key',
    description:
      'The answer shows the key, and nothing shows it again: only its SHA-256 is kept. A name is given once, so a repeated request is refused with `KEY_EXISTS`; revoke that key and make another one.',
    body: createKey,
    answers: { 201: newKey },
    errors: ['KEY_EXISTS'],
  },
  listKeys: {
    method: 'GET',
    path: '/v1/keys',
    tag: 'Administration',
    summary: 'Lists API keys by name, revoked ones among them, never the keys themselves',
    query: listKeys,
    answers: { 200: pageOf(keyView) },
    errors: [],
  },
  revokeKey: {
    method: 'DELETE',
    path: '/v1/keys/{id}',
    tag: 'Administration',
    summary: 'Revokes an API key: within 5 seconds no replica takes it any more',
    params: { id: uuid },
    answers: { 204: null },
    errors: ['KEY_NOT_FOUND'],
  },
} as const satisfies Readonly<Record<string, Route>>;

import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { renderPage, type AsyncApi, type OpenApi } from './api-page.js';
import { PAGE_STYLE } from './page-style.js';

const FOLDER = new URL('../../../../docs/', import.meta.url);

/** What the API says of itself: the documents as they are committed, and a page made from them. Read once. */
export class Documents {
  readonly openApi = readFileSync(new URL('openapi.json', FOLDER), 'utf8');
  readonly asyncApi = readFileSync(new URL('asyncapi.json', FOLDER), 'utf8');
  readonly page = renderPage(JSON.parse(this.openApi) as OpenApi, JSON.parse(this.asyncApi) as AsyncApi);
  /** Nothing runs, nothing is fetched, nobody frames it: its own style alone. */
  readonly contentSecurityPolicy =
    `default-src 'none'; style-src 'sha256-${hash('sha256', PAGE_STYLE, 'base64')}'; ` +
    `base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
}

import { stopRunServers } from './run-servers.js';

/**
 * Jest's global teardown, loaded from the built files by jest.config.mjs.
 * @public
 */
// oxlint-disable-next-line import/no-default-export -- Jest takes no other.
export default stopRunServers;

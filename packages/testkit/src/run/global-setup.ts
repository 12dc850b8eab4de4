import { startRunServers } from './run-servers.js';

/**
 * Jest's global setup, loaded from the built files by jest.config.mjs.
 * @public
 */
// oxlint-disable-next-line import/no-default-export -- Jest takes no other.
export default startRunServers;

export { signAccounts, type SignedAccounts } from './accounts.js';
export {
  agentCredentials,
  agentIssuerOf,
  coreCredentials,
  probeCredentials,
  serviceCredentials,
} from './credentials.js';
export { createKeys, keyNames, type AccountKeys } from './keys.js';
export { SERVICE_NAMES as serviceNames } from '@baton/contracts';

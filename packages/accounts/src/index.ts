export { signAccounts, type SignedAccounts } from './accounts.js';
export { authorityOf, isAuthority, readAuthority } from './authority.js';
export {
  agentCredentials,
  agentIssuerOf,
  coreCredentials,
  createAgentSigner,
  isUserKey,
  probeCredentials,
  serviceCredentials,
  type AgentSigner,
} from './credentials.js';
export { createKeys, keyNames, type AccountKeys } from './keys.js';
export { SERVICE_NAMES as serviceNames } from '@baton/contracts';

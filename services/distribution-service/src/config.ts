import { natsCredentialsSetting, serviceSettings } from '@baton/runtime';
import { z } from 'zod';

/** The environment of distribution-service. */
export const configSchema = z.object({
  ...serviceSettings,
  BATON_NATS_PROBE_CREDENTIALS: natsCredentialsSetting(
    "What the beat of the service goes through the agents' account with: it comes back only while agents can be heard. Without it the beat goes the way of everything else.",
  ),
});

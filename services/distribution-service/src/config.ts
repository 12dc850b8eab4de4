import { serviceSettings } from '@baton/runtime';
import { z } from 'zod';

/** The environment of distribution-service. */
export const configSchema = z.object(serviceSettings);

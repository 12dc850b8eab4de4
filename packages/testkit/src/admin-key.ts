/** The first API key of every task-service that tests start. */
export const ADMIN_KEY = `baton_${'4'.repeat(43)}`;

/** The header of a request of an admin. */
export const asAdmin = { authorization: `Bearer ${ADMIN_KEY}` } as const;

import { randomBytes } from 'node:crypto';

/** A message id as the platform makes them: `wamid.` and base64. */
export const newMessageId = (): string => `wamid.${randomBytes(24).toString('base64')}`;

import { randomUUID } from 'node:crypto';

/** Makes a fresh random id (a UUID in its 36-character text form). */
export type NewId = () => string;

/** Random UUIDs of the machine (RFC 9562 version 4): the one place of a service that draws ids at random. */
export const randomId: NewId = () => randomUUID();

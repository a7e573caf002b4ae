/** `toTarget`: what clients send. `toClient`: what the target answers. */
export type Direction = 'toTarget' | 'toClient';

/** What happens to the bytes of one direction. */
export interface DirectionFaults {
  readonly delayMs: number;
  /** At most this much more, at random. */
  readonly jitterMs: number;
  /** Nothing is forwarded; the connection stays. */
  readonly stalled: boolean;
  /** The connection is reset once it has carried so many bytes in this direction, counted from now; 0 before any. */
  readonly resetAfter?: { readonly bytes: number };
  readonly bytesPerSecond?: number;
}

export const NO_FAULTS: DirectionFaults = { delayMs: 0, jitterMs: 0, stalled: false };

/** The test made the code do something it did not plan. */
export class UnplannedCallError extends Error {
  readonly code = 'unplanned-call';

  constructor(port: string, member: string) {
    super(`${port}.${member} was used, but the test plans no such call`);
    this.name = 'UnplannedCallError';
  }
}

/**
 * A stand-in for a port that has only the members the test plans; every other use fails the test.
 *
 * @param port for the failure: the name of the port
 */
export function strictFake<Port extends object>(port: string, planned: Partial<Port>): Port {
  return new Proxy(planned, {
    get: (target, member) => {
      if (Object.hasOwn(target, member)) return (target as Record<string | symbol, unknown>)[member];
      // Awaiting a value asks for `then`, printing one asks for symbols: neither is a call of the port.
      if (member === 'then' || typeof member === 'symbol') return undefined;
      throw new UnplannedCallError(port, member);
    },
  }) as Port;
}

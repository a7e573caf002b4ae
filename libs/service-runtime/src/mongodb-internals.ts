import { createRequire } from 'node:module';
import type { EventEmitter } from 'node:events';

/**
 * Everything of the MongoDB driver (7.8.0, the one that mongoose brings) that is not its public interface is used here
 * and nowhere else. The spec of the store's connection fails if an upgrade moves what it relies on.
 */
const ofMongoose = createRequire(createRequire(import.meta.url).resolve('mongoose'));

interface ConnectionInternals extends EventEmitter {
  /** Throws what the connection was closed with. */
  throwIfAborted(): void;
}
interface ConnectionClass {
  readonly prototype: { writeCommand: (this: ConnectionInternals, ...of: unknown[]) => Promise<void> };
}

const { Connection } = ofMongoose('mongodb/lib/cmap/connection.js') as { Connection: ConnectionClass };

let amended = false;

/**
 * Amends a defect that reaches the whole process; called before the first connection is made.
 *
 * A command that is written in the moment between the end of a socket and the report of it waits for ever: Node refuses
 * the write, the driver waits until the socket can take more, and a socket that is gone never can. If the command is
 * the monitor's look for the server, the driver never looks again: every operation fails from then on with the error of
 * the old connection, while the server is long back. Such a write fails now when its connection is closed.
 */
export function amendMongodb(): void {
  if (amended) return;
  amended = true;
  const { writeCommand } = Connection.prototype;
  Connection.prototype.writeCommand = async function (this: ConnectionInternals, ...of: unknown[]): Promise<void> {
    let onClose = (): void => undefined;
    const closed = new Promise<void>((resolve) => {
      onClose = resolve;
      this.once('close', onClose);
    });
    try {
      await Promise.race([writeCommand.apply(this, of), closed]);
    } finally {
      this.off('close', onClose);
    }
    this.throwIfAborted();
  };
}

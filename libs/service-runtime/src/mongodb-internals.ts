import { createRequire } from 'node:module';
import type { EventEmitter } from 'node:events';

/**
 * Everything of the MongoDB driver (7.8.0, the one that mongoose brings) that is not its public interface is used here
 * and nowhere else. The spec of this file fails if an upgrade moves what it relies on.
 */
const ofMongoose = createRequire(createRequire(import.meta.url).resolve('mongoose'));

interface ConnectionInternals extends EventEmitter {
  /** Throws what the connection was closed with. */
  throwIfAborted(): void;
}
interface ConnectionClass {
  readonly prototype: {
    writeCommand: (this: ConnectionInternals, ...of: unknown[]) => Promise<void>;
    throwIfAborted: ConnectionInternals['throwIfAborted'];
  };
}

const { Connection } = ofMongoose('mongodb/lib/cmap/connection.js') as { Connection: ConnectionClass };

let amended = false;

/**
 * Amends a defect that reaches the whole process; called before the first connection is made.
 *
 * A command whose connection is closed while it is being written waits for ever: the driver waits until the socket takes
 * more, or fails, and a socket that was destroyed without an error does neither. That is so when a socket has ended and
 * its end is not reported yet, and when a write that the other side does not take comes to its time limit. If the
 * command is the monitor's look for a server that does not stream its state (mongo-java-server), the driver never looks
 * again: every operation fails from then on with the error of the old connection, while the server is long back. Such a
 * write fails now, with the error its connection was closed with.
 *
 * @throws TypeError if the driver is not the one this was written for
 */
export function amendMongodb(): void {
  if (amended) return;
  const { writeCommand, throwIfAborted } = Connection.prototype;
  if (typeof writeCommand !== 'function' || typeof throwIfAborted !== 'function') {
    throw new TypeError('the MongoDB driver has moved what mongodb-internals.ts amends');
  }
  amended = true;
  Connection.prototype.writeCommand = async function (this: ConnectionInternals, ...of: unknown[]): Promise<void> {
    this.throwIfAborted();
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

/** What the verifier remembers cannot be written, or not be read, where it is kept. */
export class StateError extends Error {
  override readonly name = 'StateError';
  readonly code = 'state-unusable';
}

/** Does what needs the disk. @throws StateError in place of what the operating system says */
export async function onDisk<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw inWords(folder, error);
  }
}

/** The error for people, when it is one of the operating system. */
export function inWords(folder: string, error: unknown): unknown {
  const { syscall, code } = error as { syscall?: unknown; code?: unknown };
  if (syscall === undefined) return error;
  return new StateError(`what is to be remembered cannot be kept in ${folder} (${String(code)})`);
}

export function isMissing(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'ENOENT';
}

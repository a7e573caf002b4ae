/** Wakes whoever waits for the simulator's state to change; nobody has to poll. */
export class Changes {
  private readonly waiting = new Set<() => void>();

  notify(): void {
    for (const check of [...this.waiting]) check();
  }

  /**
   * True as soon as the condition holds, false when it does not within `timeoutMs`. Rejects when the condition throws.
   */
  async until(holds: () => boolean, timeoutMs: number): Promise<boolean> {
    if (holds()) return true;
    return new Promise((resolve, reject) => {
      const check = () => {
        try {
          if (holds()) settle(true);
        } catch (error) {
          end();
          reject(error instanceof Error ? error : new Error('the condition failed'));
        }
      };
      const end = () => {
        clearTimeout(timer);
        this.waiting.delete(check);
      };
      const settle = (held: boolean) => {
        end();
        resolve(held);
      };
      const timer = setTimeout(() => {
        settle(false);
      }, timeoutMs);
      this.waiting.add(check);
    });
  }
}

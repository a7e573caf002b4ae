/** Everything that is to happen later, so that it can be counted, bounded and called off. */
export class Timers {
  private readonly pending = new Set<NodeJS.Timeout>();

  constructor(private readonly onSettled: () => void) {}

  get size(): number {
    return this.pending.size;
  }

  after(delayMs: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.pending.delete(timer);
      act();
      this.onSettled();
    }, delayMs);
    this.pending.add(timer);
  }

  clear(): void {
    for (const timer of this.pending) clearTimeout(timer);
    this.pending.clear();
  }
}

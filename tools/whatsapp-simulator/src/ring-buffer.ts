/** Keeps the newest `max` items and counts all there ever were. */
export class RingBuffer<T> {
  total = 0;
  private kept: T[] = [];

  constructor(private readonly max: number) {}

  push(item: T): void {
    this.total += 1;
    this.kept.push(item);
    // Cut in steps, so that a full buffer does not move every item on every push.
    if (this.kept.length >= this.max * 2) this.kept = this.kept.slice(-this.max);
  }

  items(): readonly T[] {
    return this.kept.slice(-this.max);
  }

  clear(): void {
    this.kept = [];
  }
}

import { formatPositions } from './appender.ts';

describe('the position of an answer', () => {
  it('is the last one of each partition', () => {
    const at = (topic: string, partition: number, offset: number) => ({ topic, partition, offset });
    expect(formatPositions([at('a', 1, 5), at('a', 2, 0), at('a', 1, 7), at('b', 1, 1), at('a', 1, 6)])).toBe(
      'a/1@7, a/2@0, b/1@1',
    );
    expect(formatPositions([])).toBe('');
  });
});

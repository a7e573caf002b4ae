import { rebuiltLines } from '../rebuild-read-models/rebuild-read-models.ts';
import { replayedLine } from '../replay-parked-keys/replay-parked-keys.ts';

const rebuilt = {
  projection: 'consent.read-models.v1',
  before: 'aa',
  after: 'aa',
  equal: true,
  documents: 9,
  positions: { 'consent.events/0': 5, 'consent.events/1': 23 },
  parkedBefore: 0,
  parkedAfter: 0,
};

describe('what is said about a rebuild', () => {
  it('shows both digests and that they are equal', () => {
    const text = rebuiltLines(rebuilt).join('\n');
    expect(text).toContain('9 documents of 28 records in 2 partitions');
    expect(text).toMatch(/before +aa\n.*after +aa\n +equal/);
  });

  it('is loud when they differ', () => {
    expect(rebuiltLines({ ...rebuilt, after: 'bb', equal: false }).join('\n')).toContain('NOT EQUAL');
  });
});

describe('what is said about a replayed key', () => {
  const where = { projection: 'consent.read-models.v1', topic: 'consent.events', partition: 3 };

  it('names the place and never the key', () => {
    expect(replayedLine({ ...where, status: 'released', documents: 2 })).toBe(
      'consent.read-models.v1 consent.events/3: released, 2 documents folded anew',
    );
    expect(replayedLine({ ...where, status: 'still-parked', offset: 7, reason: 'schema-violation' })).toBe(
      'consent.read-models.v1 consent.events/3: still parked at offset 7: schema-violation',
    );
  });
});

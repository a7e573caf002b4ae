import { History } from './history.fixture.ts';
import { type WithdrawalStory, withdrawalsIn } from './withdrawals-in.ts';

const story = (change: Partial<WithdrawalStory>): WithdrawalStory => ({
  what: 'odd',
  whileDown: [],
  status: 200,
  positions: [],
  fact: undefined,
  ...change,
});

describe('withdrawals', () => {
  let history: History;

  beforeEach(() => {
    history = new History();
    // messageIdOf('wamid.vector') as libs/contracts computes it
    const messageId = '70a084e1-38b9-8eba-86d6-1cc2602f5402';
    history.record('consent.events', 'consent.withdrawn.v1', { messageId });
    const kept = history.record('consent.events', 'consent.withdrawal-quarantined.v1', {});
    history.records[1] = { ...kept, key: 'sender:42' };
    history.record('consent.events', 'consent.granted.v1', {});
  });

  const found = (change: Partial<WithdrawalStory>): string[] =>
    withdrawalsIn([story(change)], history.records).map(({ what }) => what);

  it('are in when the log has their fact, by position, message or sender', () => {
    expect(found({ positions: ['consent.events/0@0'] })).toEqual([]);
    expect(found({ fact: { wamid: 'wamid.vector' } })).toEqual([]);
    expect(found({ fact: { senderId: '42' } })).toEqual([]);
  });

  it.each([
    { positions: ['consent.events/0@2'] },
    { positions: ['consent.events/0@9'] },
    { fact: { wamid: 'wamid.other' } },
    { fact: { senderId: '43' } },
    {},
  ])('are lost when it has not: %j', (change) => {
    expect(found(change)).toEqual(['a withdrawal (odd) was acknowledged and is not in the log']);
  });

  it.each([400, 409, 422, 503, undefined])('must not end with %p', (status) => {
    expect(found({ status })).toEqual([`a withdrawal (odd) was answered ${status ?? 'nothing'}`]);
  });

  it('may be answered 503 or not at all while something is down, and nothing else', () => {
    const positions = ['consent.events/0@0'];
    expect(found({ down: 'store', whileDown: [503, undefined], positions })).toEqual([]);
    expect(found({ down: 'store', whileDown: [503, 200], positions })).toEqual([
      'a withdrawal (odd) was answered 200 while the store was down',
    ]);
    expect(found({ down: 'broker', whileDown: [400], positions })).toHaveLength(1);
  });
});

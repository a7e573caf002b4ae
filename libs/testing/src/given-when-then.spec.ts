import { specOf } from './given-when-then.ts';
import type { Decider } from './given-when-then.ts';

const door: Decider<'closed' | 'open', 'open' | 'paint', { type: 'opened' | 'closed' }> = {
  initialState: 'closed',
  evolve: (_state, event) => (event.type === 'opened' ? 'open' : 'closed'),
  decide: (state, command) => {
    if (command === 'paint') throw Object.assign(new Error('no paint'), { code: 'no-paint' });
    return state === 'open' ? [] : [{ type: 'opened' }];
  },
};

describe('given, when, then', () => {
  const { given } = specOf(door);

  it('holds when the events are exactly those', () => {
    given().when('open').then({ type: 'opened' });
    given({ type: 'opened' }).when('open').thenNothing();
    given({ type: 'opened' }, { type: 'closed' }).when('open').then({ type: 'opened' });
    given().when('paint').thenRefused('no-paint');
  });

  it('fails when they are not', () => {
    expect(() => {
      given().when('open').thenNothing();
    }).toThrow();
    expect(() => {
      given({ type: 'opened' }).when('open').then({ type: 'opened' });
    }).toThrow();
    expect(() => {
      given().when('open').then({ type: 'closed' });
    }).toThrow();
    expect(() => {
      given().when('paint').thenRefused('other');
    }).toThrow();
    expect(() => {
      given().when('open').thenRefused('no-paint');
    }).toThrow();
  });
});

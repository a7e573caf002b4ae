import type { Scope } from '@assent/contracts';
import { covers, scopeKey } from './scope.ts';

describe('a scope and a contact of which little is known', () => {
  it('covers when the aspect it names is not known', () => {
    expect(covers({ kind: 'purpose', id: 'news' }, { channel: 'whatsapp' })).toBe(true);
    expect(covers({ kind: 'sender', id: '100000000000001' }, {})).toBe(true);
  });

  it('does not cover when the aspect it names is known to differ', () => {
    expect(covers({ kind: 'purpose', id: 'news' }, { purposeId: 'offers' })).toBe(false);
  });
});

describe('the key of a scope', () => {
  it('tells scopes apart that cover different contacts', () => {
    const scopes = [
      { kind: 'all' },
      { kind: 'purpose', id: 'marketing' },
      { kind: 'category', id: 'marketing' },
      { kind: 'brand', id: 'a' },
      { kind: 'brand', id: 'b' },
    ] as Scope[];
    expect(new Set(scopes.map(scopeKey)).size).toBe(scopes.length);
  });

  it('is the same whatever the order of members and whatever a later version adds to a known kind', () => {
    const known = { id: 'news', note: 'later', kind: 'purpose' } as unknown as Scope;
    expect(scopeKey(known)).toBe(scopeKey({ kind: 'purpose', id: 'news' }));
    const unknown = { id: 'x', kind: 'brand' } as unknown as Scope;
    expect(scopeKey(unknown)).toBe(scopeKey({ kind: 'brand', id: 'x' } as unknown as Scope));
  });
});

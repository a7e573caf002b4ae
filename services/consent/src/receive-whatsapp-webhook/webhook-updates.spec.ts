import fc from 'fast-check';
import { controlMessageOf } from './control-message.ts';
import { WebhookSignature } from './signature.ts';
import { updatesOf } from './webhook-updates.ts';

const metadata = { display_phone_number: '15550009999', phone_number_id: '100000000000001' };
const change = (value: object, field = 'messages'): object => ({
  object: 'whatsapp_business_account',
  entry: [
    { id: '300000000000001', changes: [{ field, value: { messaging_product: 'whatsapp', metadata, ...value } }] },
  ],
});
const text = (id: string, body: string): object => ({
  from: '12125550101',
  id,
  timestamp: '1764000000',
  type: 'text',
  text: { body },
});

describe('the updates of a webhook', () => {
  it('are given one by one, whatever their kind', () => {
    const body = change({
      messages: [
        text('wamid.1', 'STOP'),
        {
          from: '12125550101',
          id: 'wamid.2',
          timestamp: '1764000001',
          type: 'button',
          button: { payload: 'OPTOUT', text: 'Stop' },
        },
      ],
      statuses: [
        {
          id: 'wamid.3',
          status: 'failed',
          timestamp: '1764000002',
          recipient_id: '12125550101',
          errors: [{ code: 131050 }],
        },
      ],
    });
    expect(updatesOf(body)).toMatchObject([
      { kind: 'message', wamid: 'wamid.1', text: 'STOP', timestamp: 1_764_000_000, from: [{ waId: '12125550101' }] },
      { kind: 'message', wamid: 'wamid.2', payload: 'OPTOUT', text: 'Stop' },
      { kind: 'status', wamid: 'wamid.3', status: 'failed', errors: [{ code: 131_050 }] },
    ]);
  });

  it('know a person by the business-scoped id when the phone is withheld', () => {
    const message = { id: 'wamid.1', timestamp: '1764000000', type: 'text', text: { body: 'STOP' } };
    const body = change({
      contacts: [{ profile: { name: 'A' }, user_id: 'US.13491208655302741918' }],
      messages: [message],
    });
    expect(updatesOf(body)).toMatchObject([{ kind: 'message', from: [{ bsuid: 'US.13491208655302741918' }] }]);
  });

  it('take integer time stamps of preferences', () => {
    const preference = {
      wa_id: '12125550101',
      category: 'marketing_messages',
      value: 'stop',
      timestamp: 1_764_000_000,
    };
    expect(updatesOf(change({ user_preferences: [preference] }, 'user_preferences'))).toMatchObject([
      { kind: 'preference', value: 'stop', timestamp: 1_764_000_000 },
    ]);
  });

  it('make two people one for no contact that is not the writer', () => {
    const contact = { wa_id: '12125550102', user_id: 'US.2' };
    const own = { ...text('wamid.1', 'hi'), from_user_id: 'US.1' };
    const matching = { wa_id: '12125550101', user_id: 'US.1', parent_user_id: 'US.ENT.1' };
    const fromOf = (contacts: object[], message: object): unknown =>
      (updatesOf(change({ contacts, messages: [message] }))[0] as { from: unknown }).from;
    expect(fromOf([contact], own)).toEqual([{ waId: '12125550101' }, { bsuid: 'US.1' }]);
    expect(fromOf([contact, matching], own)).toEqual([
      { waId: '12125550101' },
      { bsuid: 'US.1' },
      { bsuid: 'US.ENT.1' },
    ]);
  });

  it('keep that somebody withdraws, whatever else is missing', () => {
    const anonymous = { id: 'wamid.1', type: 'text', text: { body: 'STOP' } };
    const { id: _id, ...withoutId } = text('', 'STOP') as { id: string };
    const messages = [anonymous, withoutId, { ...withoutId, text: { body: 'hi' } }];
    expect(updatesOf(change({ messages }))).toMatchObject([
      { kind: 'odd', isWithdrawal: true },
      { kind: 'message', from: [{ waId: '12125550101' }], text: 'STOP' },
      { kind: 'odd', reason: 'message-incomplete' },
    ]);
    const statuses = [{ status: 'failed', errors: [{ code: 131050 }] }];
    expect(updatesOf(change({ statuses }))).toMatchObject([{ kind: 'odd', isWithdrawal: true }]);
    const preferences = { user_preferences: [{ value: 'STOP' }] };
    expect(updatesOf(change(preferences, 'user_preferences'))).toMatchObject([{ kind: 'odd', isWithdrawal: true }]);
  });

  it('read captions, and ids that hold a lone surrogate', () => {
    const image = { from: '12125550101', id: 'wamid.\ud800', type: 'image', image: { caption: 'Stop' } };
    expect(updatesOf(change({ messages: [image] }))).toMatchObject([
      { kind: 'message', text: 'Stop', wamid: 'wamid.\ufffd' },
    ]);
  });

  it('know the person of a group by the participant, not by the group', () => {
    const status = {
      id: 'w',
      status: 'read',
      recipient_type: 'group',
      recipient_id: '120363',
      recipient_user_id: 'US.1',
    };
    expect(updatesOf(change({ statuses: [status] }))).toMatchObject([{ to: [{ bsuid: 'US.1' }] }]);
  });

  it('lose no neighbour of an odd one', () => {
    const body = change({ messages: [{ id: 7 }, text('wamid.2', 'STOP'), null] });
    expect(updatesOf(body).map(({ kind }) => kind)).toEqual(['odd', 'message', 'odd']);
  });

  it('never throw and are never none', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (body) => {
        expect(updatesOf(body).length).toBeGreaterThan(0);
      }),
    );
    expect(
      updatesOf(JSON.parse('{"__proto__":{"entry":1},"entry":[{"__proto__":null}]}')).map(({ kind }) => kind),
    ).toEqual(['odd']);
  });
});

describe('what a message asks for', () => {
  it.each(['OPTOUT|', 'OPTOUT|news', 'optout|brand:x', `OPTOUT|purpose:${'x'.repeat(99)}`])(
    'is to stop everything by a payload whose scope can not be read: %s',
    (payload) => {
      expect(controlMessageOf({ payload, text: 'x' }, [])).toMatchObject({ control: 'stop', scope: { kind: 'all' } });
    },
  );

  it('is to stop, by a payload of ours or by a label in any language', () => {
    expect(controlMessageOf({ payload: 'OPTOUT', text: 'x' }, [])).toEqual({
      control: 'stop',
      method: 'button',
      scope: { kind: 'all' },
    });
    expect(controlMessageOf({ payload: 'OPTOUT|purpose:news' }, [])).toMatchObject({
      scope: { kind: 'purpose', id: 'news' },
    });
    expect(controlMessageOf({ payload: 'Unsubscribe', text: 'Unsubscribe' }, [])).toMatchObject({
      control: 'stop',
      method: 'button',
    });
    expect(controlMessageOf({ text: 'Arrêt' }, [])).toMatchObject({ control: 'stop', method: 'keyword' });
  });

  it('is everything when the scope of a button can not be read', () => {
    expect(controlMessageOf({ payload: 'OPTOUT|category:nonsense' }, [])).toMatchObject({
      control: 'stop',
      scope: { kind: 'all' },
    });
  });

  it('is nothing when it is talk', () => {
    expect(controlMessageOf({ text: 'When do you open?' }, [])).toEqual({ control: 'none' });
  });
});

describe('the signature of a webhook', () => {
  const signature = new WebhookSignature('local-app-secret');
  const body = Buffer.from('{"entry":[]}');

  it('matches the raw bytes only', () => {
    const right = 'sha256=' + 'd'.repeat(64);
    expect(signature.matches(body, right)).toBe(false);
    expect(signature.matches(body, undefined)).toBe(false);
    expect(signature.matches(body, 'sha256=')).toBe(false);
    expect(signature.matches(body, 'sha1=abc')).toBe(false);
  });

  it('is the HMAC-SHA-256 of RFC 4231, test case 2', () => {
    const rfc = new WebhookSignature('Jefe');
    const mac = 'sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843';
    expect(rfc.matches(Buffer.from('what do ya want for nothing?'), mac)).toBe(true);
    expect(rfc.matches(Buffer.from('what do ya want for nothing!'), mac)).toBe(false);
  });
});

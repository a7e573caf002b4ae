import { IntakeKey } from './intake-key.ts';
import { KeyWrapError, type KeyDeriver } from './key-wrapper.ts';
import { seal } from './seal.ts';

/** Tells purpose and tenant apart, and nothing else. */
const deriver: KeyDeriver = {
  derive: (purpose, tenant) => Promise.resolve(Buffer.alloc(32, `${purpose}/${tenant};`)),
};
const intake = new IntakeKey(deriver);

describe('the intake key', () => {
  it('opens what it sealed, byte for byte', async () => {
    const update = Buffer.from([0x7b, 0xff, 0x00, 0x7d]);
    const sealed = await intake.seal('acme', 'update', update);
    expect(Buffer.from(await intake.unseal('acme', 'update', sealed)).equals(update)).toBe(true);
  });

  it('is another one for each tenant, and bound to the field', async () => {
    const sealed = await intake.seal('acme', 'update', 'STOP');
    await expect(intake.unseal('acme2', 'update', sealed)).rejects.toMatchObject({ code: 'refused' });
    await expect(intake.unseal('acme', 'evidence', sealed)).rejects.toMatchObject({ code: 'refused' });
  });

  it('does not open a value of a subject, even under the same key', async () => {
    const sealed = seal(Buffer.alloc(32, 'intake/acme;'), 'acme', 'subject-1', 'update', 'STOP');
    await expect(intake.unseal('acme', 'update', sealed)).rejects.toMatchObject({ code: 'refused' });
  });

  it('passes on that the key cannot be derived now', async () => {
    const unavailable = new IntakeKey({ derive: () => Promise.reject(new KeyWrapError('unavailable')) });
    await expect(unavailable.seal('acme', 'update', 'STOP')).rejects.toMatchObject({ code: 'unavailable' });
  });
});

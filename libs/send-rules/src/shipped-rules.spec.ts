import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';

import { JURISDICTION_FILE_SCHEMA } from './generated/jurisdiction-file-schema.ts';
import { SHIPPED_RULES, SHIPPED_RULES_LATEST } from './shipped-rules.ts';
import { validateJurisdictionFile } from './validate-rules.ts';

const folder = new URL('../rules/', import.meta.url);
const read = (name: string): unknown => JSON.parse(readFileSync(new URL(name, folder), 'utf8'));
const names = readdirSync(folder).filter((name) => name.endsWith('.json') && !name.endsWith('.schema.json'));

describe('the shipped rules', () => {
  /**
   * What was decided under a version has to be decided the same way in five years. When this is red, the rules changed:
   * make a new version (scripts/generate-shipped-rules.mjs says how), do not mend the digest.
   */
  it.each([['assent@1', 'ba9f3012032803bd74334152e3df4930a80f10bdb7fe1a4f04e7004ea59599a0']])(
    'of version %s never change',
    (version, digest) => {
      const text = JSON.stringify(SHIPPED_RULES[version]);
      expect(createHash('sha256').update(text).digest('hex')).toBe(digest);
    },
  );

  it('of the newest version are those of the files', () => {
    const files = names.sort().map(read);
    expect(JSON.parse(JSON.stringify(SHIPPED_RULES[SHIPPED_RULES_LATEST]))).toEqual(files);
  });

  it.each(names)('of %s are valid', (name) => {
    expect(validateJurisdictionFile(read(name), name)).toMatchObject({ ok: true });
  });

  it('have ids of their own, in all files together', () => {
    const ids = (SHIPPED_RULES[SHIPPED_RULES_LATEST] ?? []).flatMap(({ rules }) => rules).map(({ id }) => id);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  });

  it('are checked by the schema that stands next to them', () => {
    expect(JSON.parse(JSON.stringify(JURISDICTION_FILE_SCHEMA))).toEqual(read('jurisdiction-file.schema.json'));
  });
});

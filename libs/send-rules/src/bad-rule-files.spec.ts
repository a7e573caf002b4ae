import { BAD_RULE_FILES, GOOD_RULE_FILE } from './bad-rule-files.fixture.ts';
import { validateJurisdictionFile } from './validate-rules.ts';

describe('a jurisdiction file', () => {
  it('is accepted when nothing is wrong with it', () => {
    expect(validateJurisdictionFile(GOOD_RULE_FILE, 'NL.json')).toEqual({ ok: true, jurisdictionFile: GOOD_RULE_FILE });
  });

  it.each(BAD_RULE_FILES)('is refused for $fault, with file, path and reason', ({ file, path, message }) => {
    const validation = validateJurisdictionFile(file, 'NL.json');
    expect(validation.ok ? [] : validation.faults).toContainEqual({
      file: 'NL.json',
      path,
      message: expect.stringMatching(message) as string,
    });
  });
});

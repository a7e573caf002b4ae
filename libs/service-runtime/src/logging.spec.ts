import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createLogger, NestLogs } from './logging.ts';

function capture(): { lines: () => Record<string, unknown>[]; text: () => string; write: (line: string) => void } {
  let text = '';
  return {
    write: (line) => (text += line),
    text: () => text,
    lines: () => text.trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>),
  }; // prettier-ignore
}

const planted = '+15550100123';

describe('a logger of a service', () => {
  it('writes JSON lines with the service, a readable level and an ISO time', () => {
    const sink = capture();
    createLogger({ name: 'toy', level: 'info', destination: sink }).info({ dispatchId: 'd1' }, 'planned');
    expect(sink.lines()).toEqual([
      expect.objectContaining({
        level: 'info',
        service: 'toy',
        dispatchId: 'd1',
        msg: 'planned',
        time: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      }),
    ]);
  });

  it('redacts names that can hold an address or a text at any depth, in lists and in any case', () => {
    const sink = capture();
    const logger = createLogger({ name: 'toy', level: 'info', destination: sink });
    logger.info({
      phone: planted,
      a: [{ Recipient: { waId: planted } }],
      b: { c: { d: { to: planted, text: planted } } },
      headers: { Authorization: planted },
    });
    logger.info({ a: { b: { c: { d: { e: { f: { planted } } } } } }, bytes: Buffer.from(planted) });
    expect(sink.text()).not.toContain(planted);
    expect(sink.text()).toContain('[redacted]');
  });

  it('logs of an error its type, code, scrubbed text, stack and causes, and none of its other properties', () => {
    const sink = capture();
    const error = Object.assign(
      new Error(`no such number ${planted} or 49 1512 3456789`, { cause: new TypeError(`inner ${planted}`) }),
      {
        code: 'E1',
        op: { q: planted },
      },
    );
    createLogger({ name: 'toy', level: 'info', destination: sink }).error({ err: error }, 'failed');
    expect(sink.text()).not.toMatch(/15550100123|3456789/);
    expect(sink.lines()[0]?.['err']).toEqual(
      expect.objectContaining({
        type: 'Error',
        code: 'E1',
        message: 'no such number [number] or [number]',
        cause: expect.objectContaining({ type: 'TypeError' }) as object,
      }),
    );
  });

  it('goes on while its lines cannot be written', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'assent-log-')), 'lines');
    writeFileSync(file, '');
    const readOnly = openSync(file, 'r');
    const logger = createLogger({ name: 'toy', level: 'info', destination: readOnly });
    for (let line = 0; line < 3; line += 1) {
      expect(() => {
        logger.info({ line }, 'the disk is full');
      }).not.toThrow();
    }
    closeSync(readOnly);
    rmSync(dirname(file), { recursive: true });
  });

  it("gives Nest's lines their context and scrubs numbers in them", () => {
    const sink = capture();
    const nest = new NestLogs(createLogger({ name: 'toy', level: 'info', destination: sink }));
    nest.error(new Error(`bad ${planted}`), 'Somewhere');
    nest.warn('careful', 'Elsewhere');
    nest.log('mapped a route', 'RoutesResolver');
    expect(sink.lines().map(({ level, context, msg }) => ({ level, context, msg }))).toEqual([
      { level: 'error', context: 'Somewhere', msg: 'bad [number]' },
      { level: 'warn', context: 'Elsewhere', msg: 'careful' },
    ]);
  });
});

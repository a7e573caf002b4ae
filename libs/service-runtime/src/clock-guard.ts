import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { ClockCheck } from './clock-check.ts';
import { Problem } from './problem.ts';

const READS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Takes nothing but GET while this process's clock is off: facts are ordered by the times that are stamped here, so a
 * withdrawal stamped an hour early would lose to an older grant. The caller, WhatsApp included, tries again, and
 * readiness sends it to another process. While the store does not tell the time the handler decides, which needs the
 * store itself.
 *
 * @throws Problem 503 `clock-off`
 */
export class ClockGuard implements CanActivate {
  readonly #check: Pick<ClockCheck, 'offByMs'>;

  constructor(check: Pick<ClockCheck, 'offByMs'>) {
    this.#check = check;
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (context.getType() !== 'http') return true;
    const { method } = context.switchToHttp().getRequest<{ method: string }>();
    if (READS.has(method) || (await this.#check.offByMs().catch(() => 0)) === 0) return true;
    throw new Problem({
      status: 503,
      code: 'clock-off',
      title: 'The clock of this process is off',
      detail: 'Nothing was recorded; try again.',
      headers: { 'retry-after': '5' },
    });
  }
}
